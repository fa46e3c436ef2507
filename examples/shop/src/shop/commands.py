"""The command line: run the shop, give it traffic, break it, heal it, look at it.

Each command imports what it needs when it runs: a service process must not pay for the supervisor, nor `status` for a
service.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from shop.errors import ShopError
from shop.quantities import parse_bytes_per_s, parse_duration_s, parse_share
from shop.residence import read_base_port
from shop.settings import LIFELINE, ServiceName, Settings

_SERVICES = [name.value for name in ServiceName]
# Option, field of the fault, parser, and what a value looks like.
_MEASURED: list[tuple[str, str, Callable[[str], float], str]] = [
    ("--latency", "latency_s", parse_duration_s, "800ms"),
    ("--errors", "errors", parse_share, "30%"),
    ("--cpu", "cpu", parse_share, "80%"),
    ("--leak", "leak_bytes_per_s", parse_bytes_per_s, "5MB/s"),
    ("--for", "for_s", parse_duration_s, "10m"),
]
_SWITCHES = [("--pool-exhaust", "pool_exhaust"), ("--bad-release", "bad_release"), ("--poison", "poison")]


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Do what the command line says; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options, _settings(options, environ), environ)
    except ShopError as error:
        print(f"shop: {error}", file=sys.stderr)
        return 1
    return code


def _up(options: argparse.Namespace, settings: Settings, environ: Mapping[str, str]) -> int:
    from shop.supervisor import supervise  # noqa: PLC0415 -- only this command pays for it

    traffic = ["--rate", str(options.traffic), "--day", options.day] if options.traffic > 0 else None
    return supervise(settings, environ, traffic)


def _run(options: argparse.Namespace, settings: Settings, environ: Mapping[str, str]) -> int:
    from shop.chassis import serve  # noqa: PLC0415 -- only this command pays for it

    lifeline = environ.get(LIFELINE)
    serve(options.service, settings, None if lifeline is None else int(lifeline))
    return 0


def _traffic(options: argparse.Namespace, settings: Settings, _environ: Mapping[str, str]) -> int:
    from shop.traffic import generate  # noqa: PLC0415 -- only this command pays for it

    return asyncio.run(generate(settings, rate=options.rate, day_s=parse_duration_s(options.day), for_s=options.for_s))


def _break(options: argparse.Namespace, settings: Settings, _environ: Mapping[str, str]) -> int:
    from shop.control import break_service  # noqa: PLC0415 -- only this command pays for it

    fields = [field for _, field, _, _ in _MEASURED] + [field for _, field in _SWITCHES] + ["dead_dependency"]
    plan = {field: getattr(options, field) for field in fields if getattr(options, field) not in {None, False}}
    if not plan.keys() - {"for_s"}:
        raise ShopError("say how to break it: --latency 800ms, --errors 30%, --cpu 80%, ...; see --help")
    broken = break_service(settings, options.service, plan)
    print(f"{options.service}: {', '.join(broken['kinds'])}; heals by itself in {broken['remaining_s']:.0f} s")
    return 0


def _heal(options: argparse.Namespace, settings: Settings, _environ: Mapping[str, str]) -> int:
    from shop.control import heal_service  # noqa: PLC0415 -- only this command pays for it

    if options.service is None and not options.all:
        raise ShopError("say which service to heal, or --all")
    for service in _SERVICES if options.all else [options.service]:
        heal_service(settings, service)
        print(f"{service}: healed")
    return 0


def _status(options: argparse.Namespace, settings: Settings, _environ: Mapping[str, str]) -> int:
    from shop.control import read_status  # noqa: PLC0415 -- only this command pays for it

    status = read_status(settings)
    if options.json:
        print(json.dumps({"base_port": settings.base_port, "services": status}, indent=2))
    else:
        for service, state in status.items():
            checks: dict[str, Any] = state.get("checks", {})
            troubles = [f"{name}: {found['detail']}" for name, found in checks.items() if "detail" in found]
            print(f"{service:<10} {state['status']:<9} {state.get('detail') or '; '.join(troubles)}".rstrip())
    return 0 if all(state["status"] == "ok" for state in status.values()) else 1


def _openapi(_options: argparse.Namespace, settings: Settings, _environ: Mapping[str, str]) -> int:
    from shop.gateway import describe  # noqa: PLC0415 -- only this command pays for it

    print(json.dumps(describe(settings.release), indent=2))
    return 0


def _settings(options: argparse.Namespace, environ: Mapping[str, str]) -> Settings:
    settings = Settings.from_environ(environ)
    if options.data is not None:
        settings = replace(settings, data=options.data.absolute())
    if getattr(options, "host", None) is not None:
        settings = replace(settings, host=options.host)
    known = options.base_port or (None if "SHOP_BASE_PORT" in environ else read_base_port(settings.data))
    return settings if known is None else replace(settings, base_port=known)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m shop", description="A small distributed system to watch and break."
    )
    everywhere = argparse.ArgumentParser(add_help=False)
    everywhere.add_argument("--data", type=Path, help="folder of databases, logs and secrets (default: .shop)")
    everywhere.add_argument("--base-port", type=int, help="port of the gateway; the others follow (default: 7000)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[..., int], about: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=about, description=about, parents=[everywhere])
        command.set_defaults(run=run)
        return command

    up = add("up", _up, "start all services and keep them running")
    up.add_argument("--traffic", type=float, default=5.0, metavar="RATE", help="requests per second (default: 5)")
    up.add_argument("--day", default="24h", help="length of the traffic's day, such as 10m")
    run = add("run", _run, "run one service in this process")
    run.add_argument("service", choices=_SERVICES)
    run.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    traffic = add("traffic", _traffic, "shop as many customers would")
    traffic.add_argument("--rate", type=float, default=5.0, help="mean requests per second")
    traffic.add_argument("--day", default="24h", help="length of a day with its two peaks, such as 10m")
    traffic.add_argument("--for", dest="for_s", type=_argument(parse_duration_s), help="stop after so long")
    status = add("status", _status, "show how every service is")
    status.add_argument("--json", action="store_true", help="all of it, for programs")
    add("openapi", _openapi, "print the public API's OpenAPI document")
    heal = add("heal", _heal, "take faults off")
    heal.add_argument("service", nargs="?", choices=_SERVICES)
    heal.add_argument("--all", action="store_true", help="off all services")
    _add_faults(add("break", _break, "put a fault on a service, in place of the one that it has"))
    return parser


def _add_faults(command: argparse.ArgumentParser) -> None:
    command.add_argument("service", choices=_SERVICES)
    for option, field, parse, example in _MEASURED:
        command.add_argument(option, dest=field, type=_argument(parse), metavar=example.replace("%", "%%"))
    for option, field in _SWITCHES:
        command.add_argument(option, dest=field, action="store_true")
    # Without a name the service chooses.
    command.add_argument("--dead-dependency", nargs="?", const="any", metavar="NAME")


def _argument(parse: Callable[[str], float]) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read
