"""Step code as a Kubernetes Job, through the API server.

A Job that a crashed predecessor has made is taken over by its name; one that has ended stays for a while, so that its
end is found too. Jobs are deleted when their step is cancelled, otherwise by the cluster (`ttl_s`).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import orjson

from holdfast.kernel.errors import UnavailableError
from holdfast.kernel.runs.places.distant import DistantListener, name_of, spell_argv, tidy_up
from holdfast.kernel.runs.places.errors import StepDiedError, StepPlaceError
from holdfast.kernel.runs.places.guarded import describe_exit
from holdfast.kernel.runs.places.ports import Command, Work
from holdfast.kernel.runs.places.verdicts import judge_command
from holdfast.kernel.secrets import Secret

ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")

_CALL_S: Final = 30.0
_SILENCE_S: Final = 60.0
_SPARE_S: Final = 60.0  # the cluster ends a Job so long after we should have
_PAUSE_S: Final = 0.5
_CONTAINER: Final = "step"
_HOPELESS: Final = {"InvalidImageName", "ImagePullBackOff", "CreateContainerConfigError", "CreateContainerError"}


@dataclass(frozen=True, slots=True)
class KubernetesJob:
    """A Job for one step; `ctx.step(..., place=KubernetesJob("registry/train:7", memory="4Gi"))`.

    Attributes:
        image: of its one container; for functions it must have their module.
        namespace: empty means that of the place.
        env: its environment, readable by whoever may read the Job; secrets belong into `env_from`.
        env_from: names of the cluster's own Secrets whose keys become variables.
        cpu: request and limit, such as `500m`.
        memory: request and limit, such as `512Mi`.
        service_account: what it may do in the cluster.
        node_selector: labels of the nodes that may run it.
        labels: further labels of the Job and its pod.
        python: the interpreter in the image.
        ttl_s: how long it stays after its end.
    """

    image: str
    namespace: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    env_from: tuple[str, ...] = ()
    cpu: str = ""
    memory: str = ""
    service_account: str = ""
    node_selector: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    python: str = "python3"
    ttl_s: int = 3600


class KubernetesPlace:
    """Runs functions and commands as Jobs of one cluster.

    Args:
        url: of the API server; empty means the cluster that we ourselves run in.
        token: empty reads the service account's, again for each step, because it changes.
        ca_file: the authority of the API server; empty means the service account's or the system's.
        namespace: for Jobs that name none; empty means the service account's or `default`.
    """

    def __init__(self, url: str = "", *, token: Secret | None = None, ca_file: str = "", namespace: str = "") -> None:
        self._url = url or "https://kubernetes.default.svc"
        self._token = token or Secret("")
        self._ca_file = ca_file
        self._namespace = namespace

    async def run(self, work: Work, options: KubernetesJob) -> Any:
        """Run it; cancelling deletes the Job and its pod, unless another worker takes it over.

        Raises:
            StepPlaceError: the cluster does not take the Job, or can never start it.
            StepDiedError: it ended without a result.
            UnavailableError: the API server does not answer.
        """
        document = _describe(work, options)
        namespace = options.namespace or self._namespace or await asyncio.to_thread(_read_account, "namespace")
        name, listener = name_of(work), DistantListener(work)
        async with self._connected() as client:
            job = _Job(client, namespace or "default", name)
            try:
                await job.create(document)
                code, reason = await job.see_through(listener)
            except asyncio.CancelledError:
                await tidy_up(work, job.delete(), name)
                raise
        listener.end()
        if isinstance(work.todo, Command):
            return judge_command(work, work.todo, code, listener.tails)
        return listener.answers.settle(f"{describe_exit(code)} ({reason})" if reason else describe_exit(code))

    async def close(self) -> None:
        """Nothing is open between steps."""

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[httpx.AsyncClient]:
        token = self._token.reveal() or await asyncio.to_thread(_read_account, "token")
        authority = self._ca_file or (str(ACCOUNT / "ca.crt") if (ACCOUNT / "ca.crt").exists() else None)
        tls = ssl.create_default_context(cafile=authority)
        headers = {"authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(
            base_url=self._url, verify=tls, headers=headers, timeout=_CALL_S, trust_env=False
        ) as client:
            try:
                yield client
            except httpx.TransportError as error:
                raise UnavailableError(
                    f"the Kubernetes API at {self._url} does not answer: {type(error).__name__} {error}",
                    hint="check [runs] kubernetes_url",
                ) from error


class _Job:
    """One Job on its way."""

    def __init__(self, client: httpx.AsyncClient, namespace: str, name: str) -> None:
        self._client = client
        self._name = name
        self._jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        self._pods = f"/api/v1/namespaces/{namespace}/pods"

    async def create(self, document: dict[str, Any]) -> None:
        """Create it, unless it is there already."""
        answer = await self._client.post(self._jobs, json=document)
        if answer.status_code != 409:
            _demand(answer)

    async def delete(self) -> None:
        """Delete it with its pod."""
        path, how = f"{self._jobs}/{self._name}", {"propagationPolicy": "Background"}
        answer = await self._client.request("DELETE", path, params=how)
        if answer.status_code != 404:
            _demand(answer)

    async def see_through(self, listener: DistantListener) -> tuple[int, str]:
        """Follow it to its end; give the exit code, and the cluster's word for the reason if that is not plain."""
        name = (await self._until_started())["metadata"]["name"]
        while True:
            await self._hear(name, listener)
            ended = _container_state(await self._get_pod(name)).get("terminated")
            if ended is not None:
                await self._hear(name, listener)  # what came while a broken connection was made anew
                reason = ended.get("reason", "")
                return int(ended["exitCode"]), "" if reason in {"Completed", "Error"} else reason
            await asyncio.sleep(_PAUSE_S)

    async def _hear(self, pod: str, listener: DistantListener) -> None:
        try:
            await self._follow_log(pod, listener)
        except httpx.TransportError:
            return  # a silent or broken connection; the next one goes on where it was

    async def _get_pod(self, name: str) -> dict[str, Any]:
        answer = await self._client.get(f"{self._pods}/{name}")
        if answer.status_code == 404:
            raise StepDiedError(f"the pod of Job {self._name} was deleted")
        return dict(_demand(answer).json())

    async def _follow_log(self, pod: str, listener: DistantListener) -> None:
        wanted = {"container": _CONTAINER, "follow": "true", "timestamps": "true"}
        if listener.since:
            wanted["sinceTime"] = f"{listener.since}Z"
        listener.reconnect()
        path = f"{self._pods}/{pod}/log"
        async with self._client.stream("GET", path, params=wanted, timeout=_SILENCE_S) as answer:
            if answer.status_code != 200:
                await answer.aread()
                _demand(answer)
            async for piece in answer.aiter_raw():
                listener.take("stdout", piece)

    async def _until_started(self) -> dict[str, Any]:
        """Wait until the container of the Job's pod runs, or has run."""
        wanted = {"labelSelector": f"job-name={self._name}", "watch": "true", "timeoutSeconds": str(int(_SILENCE_S))}
        while True:
            try:
                async with self._client.stream("GET", self._pods, params=wanted, timeout=_SILENCE_S + 5) as answer:
                    if answer.status_code != 200:
                        await answer.aread()
                        _demand(answer)
                    async for line in answer.aiter_lines():
                        event = orjson.loads(line)
                        pod = event["object"]
                        if event["type"] == "DELETED":
                            raise StepDiedError(f"the pod of Job {self._name} was deleted")
                        if event["type"] in {"ADDED", "MODIFIED"} and _has_started(pod):
                            return dict(pod)
            except httpx.TimeoutException:
                pass
            await self._check_alive()

    async def _check_alive(self) -> None:
        """Raise when the Job is gone, or has failed before there was a pod."""
        answer = await self._client.get(f"{self._jobs}/{self._name}")
        if answer.status_code == 404:
            raise StepDiedError(f"Job {self._name} was deleted")
        for condition in _demand(answer).json().get("status", {}).get("conditions") or []:
            if (
                condition["type"] == "Failed"
                and condition["status"] == "True"
                and condition["reason"] != "BackoffLimitExceeded"
            ):
                raise StepDiedError(f"Job {self._name} failed: {condition['reason']}: {condition.get('message', '')}")


def _has_started(pod: dict[str, Any]) -> bool:
    state = _container_state(pod)
    waiting = state.get("waiting") or {}
    if waiting.get("reason") in _HOPELESS:
        raise StepPlaceError(f"the pod cannot start: {waiting['reason']}: {waiting.get('message', '')[:500]}")
    if pod.get("status", {}).get("phase") == "Failed" and not state:
        reason = pod["status"].get("reason", "it was evicted")
        raise StepDiedError(f"the pod failed before its container ran: {reason}: {pod['status'].get('message', '')}")
    return state.get("running") is not None or state.get("terminated") is not None


def _container_state(pod: dict[str, Any]) -> dict[str, Any]:
    told = pod.get("status", {}).get("containerStatuses") or [{}]
    return dict(told[0].get("state") or {})


def _demand(answer: httpx.Response) -> httpx.Response:
    if answer.status_code < 400:
        return answer
    try:
        said = str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        said = answer.text
    if answer.status_code >= 500 or answer.status_code == 429:
        raise UnavailableError(f"the Kubernetes API is in trouble ({answer.status_code}): {said[:500]}")
    raise StepPlaceError(f"the Kubernetes API refuses it ({answer.status_code}): {said[:500]}")


def _describe(work: Work, options: KubernetesJob) -> dict[str, Any]:
    command = work.todo if isinstance(work.todo, Command) else None
    env = {**options.env, **(command.env if command else {})}
    if any(isinstance(value, Secret) for value in env.values()):
        raise StepPlaceError(
            f"step {work.name}: a Job's env is readable for everybody who may read Jobs",
            hint="put the secret into a Secret of the cluster, and name it in env_from",
        )
    limits = {name: value for name, value in (("cpu", options.cpu), ("memory", options.memory)) if value}
    labels = {**options.labels, "app.kubernetes.io/managed-by": "holdfast"}
    container = {
        "name": _CONTAINER,
        "image": options.image,
        "command": spell_argv(work, options.python),
        "workingDir": command.cwd if command and command.cwd else None,
        "env": [{"name": name, "value": value} for name, value in env.items()],
        "envFrom": [{"secretRef": {"name": name}} for name in options.env_from],
        "resources": {"limits": limits, "requests": limits},
    }
    pod = {
        "restartPolicy": "Never",
        "containers": [container],
        "serviceAccountName": options.service_account or None,
        "nodeSelector": dict(options.node_selector) or None,
    }
    deadline = None if work.timeout_s is None else round(work.timeout_s + _SPARE_S)
    notes = {"holdfast/run": work.run_id, "holdfast/step": work.name}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name_of(work), "labels": labels, "annotations": notes},
        "spec": {
            "backoffLimit": 0,  # a second try is the engine's to decide
            "ttlSecondsAfterFinished": options.ttl_s,
            "activeDeadlineSeconds": deadline,
            "template": {"metadata": {"labels": labels, "annotations": notes}, "spec": pod},
        },
    }


def _read_account(what: str) -> str:
    file = ACCOUNT / what
    return file.read_text(encoding="utf-8").strip() if file.exists() else ""
