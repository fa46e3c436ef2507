"""One guarded call on its way through its attempts: decides after each whether, and when, there is a next one.

It holds no function and sleeps nowhere: `retries` and `attempts` drive it, async and sync alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.resilience.backoff import Backoff, Chance
from holdfast.resilience.budgets import RetryBudget
from holdfast.resilience.clocks import Clock
from holdfast.resilience.deadlines import current_deadline
from holdfast.resilience.retry_after import asked_wait_s

ErrorRule = Callable[[Exception], Backoff | float | None]
ResultRule = Callable[[Any], bool | float]
OnError = (
    type[Exception]
    | tuple[type[Exception], ...]
    | Mapping[type[Exception], Backoff]
    | Callable[[Exception], bool | float]
)
Tell = Callable[..., None]


@dataclass(frozen=True, slots=True)
class RetryRules:
    """What a retry was told; see `retry` for the words."""

    attempts: int | None
    backoff: Backoff
    judge: ErrorRule
    judge_result: ResultRule | None
    max_elapsed_s: float | None
    retry_after_cap_s: float
    budget: RetryBudget | None
    rng: Chance


class Course:
    """The attempts of one call so far. `fail` and `answer` give the seconds until the next one, or None: it is over."""

    __slots__ = ("_by_rule", "_clock", "_rules", "_started_s", "_tell", "_wait_s", "attempt", "label")

    def __init__(self, rules: RetryRules, clock: Clock, tell: Tell, label: str) -> None:
        self.attempt = 1
        self.label = label
        self._rules = rules
        self._clock = clock
        self._tell = tell
        self._wait_s = 0.0
        self._by_rule: dict[Backoff, int] = {}
        self._started_s = clock.monotonic() if rules.max_elapsed_s is not None else 0.0

    def fail(self, error: Exception) -> float | None:
        """Note that the attempt raised `error`; where it is the last word, the error gets a note that says why."""
        verdict = self._judge(error)
        if verdict is None:
            if self.attempt > 1:
                self._give_up(error, "this error is not one to retry")
            return None
        asked_s = max((asked_wait_s(leaf, self._clock.now) or 0.0 for leaf in _leaves(error)), default=0.0)
        return self._decide(verdict, asked_s, error)

    def answer(self, result: object) -> float | None:
        """Note that the attempt returned `result`."""
        rules = self._rules
        if rules.judge_result is not None:
            verdict = rules.judge_result(result)
            if verdict is not False:
                asked_s = asked_wait_s(result, self._clock.now) or 0.0
                return self._decide(rules.backoff if verdict is True else verdict, asked_s, None)
        if rules.budget is not None:
            rules.budget.note_success()
        if self.attempt > 1:
            self._tell("recovered", attempts=self.attempt)
        return None

    def _judge(self, error: Exception) -> Backoff | float | None:
        """Judge the error itself, or each error of a group: one that may not be retried forbids it for all."""
        verdict = self._rules.judge(error)
        if verdict is not None or not isinstance(error, ExceptionGroup):
            return verdict
        verdicts = [self._rules.judge(leaf) for leaf in _leaves(error)]
        if None in verdicts:
            return None
        return max((one for one in verdicts if one is not None), key=_patience)

    def _decide(self, rule: Backoff | float, asked_s: float, error: Exception | None) -> float | None:
        wait_s = self._draw(rule, asked_s)
        why = self._find_obstacle(rule, wait_s, asked_s)
        if why:
            self._give_up(error, why)
            return None
        self._wait_s = wait_s
        self._tell("retried", error, attempt=self.attempt, wait_s=wait_s)
        self.attempt += 1
        return wait_s

    def _draw(self, rule: Backoff | float, asked_s: float) -> float:
        if not isinstance(rule, Backoff):
            return max(float(rule), asked_s)
        failures = self._by_rule[rule] = self._by_rule.get(rule, 0) + 1
        wait_s = rule.wait_s(failures, self._wait_s, self._rules.rng)
        # Everybody was told the same moment: come up to one base later, so that not all come at once.
        return asked_s + self._rules.rng.uniform(0, rule.base_s) if asked_s > wait_s else wait_s

    def _find_obstacle(self, rule: Backoff | float, wait_s: float, asked_s: float) -> str:
        """Say why there is no next attempt; empty when there is. The budget is asked last: asking takes a token."""
        rules = self._rules
        if rules.attempts is not None and self.attempt >= rules.attempts:
            return "no attempts left"
        if isinstance(rule, Backoff) and rule.attempts is not None and self._by_rule[rule] >= rule.attempts:
            return f"it failed {rule.attempts} times in this way"
        if asked_s > rules.retry_after_cap_s:
            return f"it asked to wait {asked_s:g} s, which is over {rules.retry_after_cap_s:g} s"
        lack = self._find_lack_of_time(wait_s)
        if not lack and rules.budget is not None and not rules.budget.try_take():
            return f"the retry budget {rules.budget.name!r} is spent"
        return lack

    def _find_lack_of_time(self, wait_s: float) -> str:
        longest_s = self._rules.max_elapsed_s
        if longest_s is not None:
            spent_s = self._clock.monotonic() - self._started_s
            if spent_s + wait_s > longest_s:
                return f"{spent_s:.3g} s are spent, of {longest_s:g} s"
        deadline = current_deadline()
        if deadline is not None and wait_s >= deadline.remaining_s:
            return f"{deadline} leaves no time to wait {wait_s:.3g} s"
        return ""

    def _give_up(self, error: Exception | None, why: str) -> None:
        if self.attempt > 1 or why != "no attempts left":
            self._tell("gave_up", error, attempts=self.attempt, reason=why)
        if error is not None and self.attempt > 1:
            note = f"{self.label} gave up after {self.attempt} attempts: {why}"
            if note not in getattr(error, "__notes__", ()):
                error.add_note(note)


def make_error_rule(on: OnError, backoff: Backoff) -> tuple[ErrorRule, tuple[type[Exception], ...]]:
    """Turn what `retry(on=...)` takes into one rule, and the errors worth asking it about."""
    if isinstance(on, Mapping):
        table = dict(on)

        def look_up(error: Exception) -> Backoff | None:
            return next((table[kind] for kind in type(error).__mro__ if kind in table), None)

        return look_up, (*table, ExceptionGroup)
    if isinstance(on, type | tuple):
        kinds: tuple[type[Exception], ...] = on if isinstance(on, tuple) else (on,)
        for kind in kinds:
            if not issubclass(kind, Exception):
                raise TypeError(f"on={on!r}: {kind!r} is no kind of Exception")
        return lambda error: backoff if isinstance(error, kinds) else None, (*kinds, ExceptionGroup)
    ask = on

    def judge(error: Exception) -> Backoff | float | None:
        verdict = ask(error)
        return backoff if verdict is True else None if verdict is False else float(verdict)

    return judge, (Exception,)


def _leaves(error: Exception) -> Iterator[Exception]:
    if isinstance(error, ExceptionGroup):
        for part in error.exceptions:
            yield from _leaves(part)
    else:
        yield error


def _patience(rule: Backoff | float) -> float:
    return rule.base_s if isinstance(rule, Backoff) else rule
