"""How failures count, and how long nothing is tried after too many. Pure: no I/O, no clock, no randomness."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from chassis.rules import Forbidden, Refused

# After the last failure that is allowed, after the next one, and so on; then each is twice the one before.
DELAYS: Sequence[timedelta] = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60))
# With one try a week, all four-digit numbers take two centuries; and a forgotten lock is not for ever.
LONGEST = timedelta(days=7)


class Whose(StrEnum):
    """Against whom failures count."""

    CUSTOMER = "customer"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many failures lead to a lock-out, and how long it takes until one of them is forgiven (None: never)."""

    failures: int = 5
    forgiven_after: timedelta | None = None


# An agent hears wrong answers all day; but one who tries a few on each of many customers fails more often than that.
# A success gives an agent nothing back: it could be had at will, on an account of the agent's own.
ALLOWED = {Whose.CUSTOMER: Allowance(), Whose.AGENT: Allowance(forgiven_after=timedelta(minutes=15))}


@dataclass(frozen=True, slots=True)
class Lock:
    """The failures of one customer or agent since `since`; until `until` nothing is tried.

    `version` counts its changes, from 1; a lock of version 0 was never kept.
    """

    whose: Whose
    id: str
    failures: int = 0
    since: datetime | None = None
    until: datetime | None = None
    version: int = 0


def check(lock: Lock, at: datetime) -> None:
    """Passes when something may be tried.

    Raises:
        Refused: too many failures (LOCKED_OUT).
    """
    if lock.until is not None and lock.until > at:
        until = lock.until.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        raise Refused(
            f"too many failures of this {lock.whose}: nothing is tried before {until}",
            reason="LOCKED_OUT",
            metadata={"until": until, "whose": lock.whose.value},
        )


def tried(lock: Lock, at: datetime) -> Lock:
    """`lock` with one more try, which counts as a failure until it turns out to be none.

    Raises:
        Refused: nothing may be tried now (LOCKED_OUT).
    """
    check(lock, at)
    allowed = ALLOWED[lock.whose]
    failures, since = _remembered(lock, allowed, at)
    failures += 1
    until = at + delay(failures - allowed.failures) if failures >= allowed.failures else None
    return replace(lock, failures=failures, since=since, until=until, version=lock.version + 1)


def given_back(lock: Lock, own: Lock) -> Lock:
    """`lock` without the try that had led to `own`, since it was no failure; others may have tried meanwhile."""
    failures = max(0, lock.failures - 1)
    # A lock-out that only this try had caused ends with it.
    ends = lock.version == own.version or failures < ALLOWED[lock.whose].failures
    return replace(lock, failures=failures, until=None if ends else lock.until, version=lock.version + 1)


def forgotten(lock: Lock) -> Lock:
    """`lock` with no failures."""
    return replace(lock, failures=0, since=None, until=None, version=lock.version + 1)


def left(lock: Lock) -> int:
    """Failures left before the next lock-out."""
    return max(0, ALLOWED[lock.whose].failures - lock.failures)


def longest(locks: Iterable[Lock]) -> Lock:
    """Of several locks, that of which nothing is tried for longest."""
    return max(locks, key=lambda lock: lock.until or datetime.min.replace(tzinfo=UTC))


def delay(further: int) -> timedelta:
    """How long nothing is tried, `further` failures after those that are allowed."""
    if further < len(DELAYS):
        return DELAYS[further]
    # Sixteen doublings are far beyond the longest, and more would one day be beyond what a span of time can be.
    doublings: int = 1 << min(further - len(DELAYS) + 1, 16)
    return min(DELAYS[-1] * doublings, LONGEST)


def check_lifter(lock: Lock, by: str) -> None:
    """Passes whoever lifts another's lock.

    Raises:
        Forbidden: it is their own (NOT_APPROVER).
    """
    if lock.whose is Whose.AGENT and lock.id == by:
        raise Forbidden(
            "nobody lifts their own lock: ask another supervisor",
            reason="NOT_APPROVER",
            field="agent",
            metadata={"role": "supervisor"},
        )


def _remembered(lock: Lock, allowed: Allowance, at: datetime) -> tuple[int, datetime]:
    """The failures that are not yet forgiven, and since when the next one waits for it."""
    since = lock.since or at
    if allowed.forgiven_after is None or not lock.failures:
        return lock.failures, since if lock.failures else at
    steps = max(0, (at - since) // allowed.forgiven_after)
    failures = max(0, lock.failures - steps)
    return failures, since + steps * allowed.forgiven_after if failures else at
