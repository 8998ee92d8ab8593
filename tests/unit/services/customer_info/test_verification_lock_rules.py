"""How failures count, and when nothing is tried."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Forbidden, Refused
from services.customer_info.verification import lock_rules
from services.customer_info.verification.lock_rules import ALLOWED, DELAYS, LONGEST, Lock, Whose
from tests.unit.services.customer_info.builders import NOON, later

CUSTOMER, AGENT = Lock(Whose.CUSTOMER, "c"), Lock(Whose.AGENT, "a")


def failing(lock: Lock, times: int, at: datetime = NOON) -> Lock:
    """`lock` after failures, each as soon as it may be."""
    for _ in range(times):
        lock = lock_rules.tried(lock, max(at, lock.until or at))
    return lock


def test_five_failures_lock_and_four_do_not() -> None:
    lock_rules.check(failing(CUSTOMER, 4), NOON)
    locked = failing(CUSTOMER, 5)
    with pytest.raises(Refused) as refused:
        lock_rules.check(locked, later(0))
    assert refused.value.reason == "LOCKED_OUT"
    assert refused.value.metadata == {"until": "2026-03-14T12:01:00.000Z", "whose": "customer"}
    lock_rules.check(locked, later(1))


def test_delays_grow_up_to_a_week() -> None:
    delays = [lock_rules.delay(n) for n in range(40)]
    assert tuple(delays[:4]) == tuple(DELAYS) == tuple(timedelta(minutes=m) for m in (1, 5, 15, 60))
    assert delays[4] == timedelta(hours=2)
    assert delays == sorted(delays)
    assert delays[-1] == lock_rules.delay(10**6) == LONGEST


def test_after_a_lock_out_each_failure_locks_again_for_longer() -> None:
    lock, waits = failing(CUSTOMER, 4), []
    at = NOON
    for _ in range(5):
        lock = lock_rules.tried(lock, at)
        assert lock.until is not None
        waits.append(lock.until - at)
        at = lock.until
    assert waits == [timedelta(minutes=m) for m in (1, 5, 15, 60, 120)]


@given(st.lists(st.integers(0, 600), max_size=60))
def test_however_tries_are_spread_no_more_than_five_come_before_the_first_wait(seconds: list[int]) -> None:
    lock, at, tried = CUSTOMER, NOON, []
    for pause in seconds:
        at += timedelta(seconds=pause)
        try:
            lock = lock_rules.tried(lock, at)
        except Refused:
            continue
        tried.append(at)
    for n, before in enumerate(tried[4:-1]):
        assert tried[n + 5] - before >= lock_rules.delay(n)


def test_a_try_that_was_no_failure_is_given_back() -> None:
    own = failing(CUSTOMER, 3)
    assert lock_rules.given_back(own, own).failures == 2
    last = failing(CUSTOMER, 5)
    back = lock_rules.given_back(last, last)
    assert (back.failures, back.until) == (4, None)
    after_a_lock_out = failing(CUSTOMER, 6)
    back = lock_rules.given_back(after_a_lock_out, after_a_lock_out)
    assert (back.failures, back.until) == (5, None)


def test_what_others_did_meanwhile_stays() -> None:
    own = failing(CUSTOMER, 6)
    late = failing(own, 1)
    assert lock_rules.given_back(late, own).until == late.until
    first = failing(CUSTOMER, 1)
    assert lock_rules.given_back(failing(first, 4), first) == replace(CUSTOMER, failures=4, since=NOON, version=6)


def test_nothing_is_given_back_below_none() -> None:
    own = failing(CUSTOMER, 1)
    assert lock_rules.given_back(lock_rules.forgotten(own), own).failures == 0


def test_a_customers_failures_are_never_forgiven_by_time_but_an_agents_are() -> None:
    month = NOON + timedelta(days=30)
    assert lock_rules.tried(failing(CUSTOMER, 4), month).failures == 5
    assert lock_rules.tried(failing(AGENT, 4), month).failures == 1
    assert lock_rules.tried(failing(AGENT, 4), later(31)).failures == 3
    assert lock_rules.tried(failing(AGENT, 4), later(14)).failures == 5


def test_time_that_forgave_one_failure_does_not_forgive_another() -> None:
    lock = failing(AGENT, 4)
    for minute in (16, 17, 18):
        lock = lock_rules.tried(lock, later(minute))
        lock = lock_rules.given_back(lock, lock)
    assert lock.failures == 3
    assert lock_rules.tried(lock, later(30)).failures == 3


def test_an_agent_who_fails_on_each_of_many_customers_is_slowed_to_one_an_allowance() -> None:
    lock, tries, at = AGENT, 0, NOON
    while at < NOON + timedelta(days=1):
        try:
            lock = lock_rules.tried(lock, at)
            tries += 1
        except Refused:
            pass
        at += timedelta(seconds=30)
    allowed = ALLOWED[Whose.AGENT]
    assert allowed.forgiven_after is not None
    assert tries <= allowed.failures + timedelta(days=1) / allowed.forgiven_after + len(DELAYS)


def test_forgetting_opens_at_once() -> None:
    lock = lock_rules.forgotten(failing(CUSTOMER, 9))
    lock_rules.check(lock, NOON)
    assert lock_rules.left(lock) == 5
    assert lock.version == 10


def test_failures_left_are_told_and_never_fewer_than_none() -> None:
    assert [lock_rules.left(failing(CUSTOMER, n)) for n in range(8)] == [5, 4, 3, 2, 1, 0, 0, 0]


def test_of_several_locks_the_one_that_lasts_longest_counts() -> None:
    long, short = failing(CUSTOMER, 6), failing(CUSTOMER, 5)
    for locks in ([CUSTOMER, long, short], [short, long, CUSTOMER]):
        assert lock_rules.longest(locks) is long
    assert lock_rules.longest([CUSTOMER]) is CUSTOMER


def test_nobody_lifts_their_own_lock() -> None:
    lock_rules.check_lifter(AGENT, "somebody else")
    lock_rules.check_lifter(Lock(Whose.CUSTOMER, "a"), "a")
    with pytest.raises(Forbidden) as refused:
        lock_rules.check_lifter(AGENT, "a")
    assert refused.value.reason == "NOT_APPROVER"
    assert refused.value.metadata == {"role": "supervisor"}
