"""What holds of every answer whether a customer may be contacted."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.customer_info.consents import contact_rules
from services.customer_info.consents.contact_rules import Decision, Question, Reason
from services.customer_info.consents.rules import (
    Basis,
    Channel,
    DoNotContact,
    Extent,
    Given,
    Lifted,
    Record,
    Withdrawn,
    covered,
)
from services.customer_info.customers.rules import Status
from services.customer_info.profiles.rules import Day, Hours, Window, opening
from tests.unit.services.customer_info.builders import later
from tests.unit.services.customer_info.consent_builders import record

EMAIL, SMS, POST = Channel.EMAIL, Channel.SMS, Channel.POST
purposes = st.sampled_from(["marketing", "service", "fraud_prevention", "legal_notice"])
channels = st.lists(st.sampled_from([EMAIL, SMS, POST]), max_size=2, unique=True).map(tuple)
minutes = st.integers(0, 60)
times = st.none() | minutes.map(later)
spans = st.tuples(times, times).filter(lambda s: not (s[0] and s[1] and s[1] <= s[0]))
grounds = st.builds(lambda p, b, c, s: Given(p, b, c, *s), purposes, st.sampled_from(Basis), channels, spans)
entries = st.builds(
    lambda e, c, p, s: DoNotContact(e, c, tuple(p), *s),
    st.sampled_from(Extent),
    channels,
    st.lists(purposes, max_size=1),
    spans,
)
changes = grounds | st.builds(Withdrawn, purposes, channels) | entries
histories = st.lists(st.tuples(changes, minutes), max_size=8).map(
    lambda made: [record(c, m, id=f"{n:03}") for n, (c, m) in enumerate(made)]
)
questions = st.builds(
    Question, purposes, st.none() | st.sampled_from([EMAIL, SMS, POST]), st.integers(0, 90).map(later)
)
statuses = st.sampled_from(Status)


def answered(known: Sequence[Record], status: Status, asked: Question) -> Decision:
    return contact_rules.decide(known, status, erased=False, question=asked)


def rests_on(known: Sequence[Record], purpose: str) -> set[Basis]:
    """The bases that a purpose may rest on: those recorded, and its own."""
    recorded = {r.change.basis for r in known if isinstance(r.change, Given) and r.change.purpose == purpose}
    return recorded | {b for p, b in contact_rules.BY_PURPOSE.items() if p == purpose}


@given(histories, statuses, questions)
def test_a_later_withdrawal_always_wins_over_consent_and_interests(
    known: list[Record], status: Status, asked: Question
) -> None:
    stop = record(Withdrawn(asked.purpose), 61, id="last")
    after = answered([*known, stop], status, replace(asked, at=later(90)))
    assert after.reason not in {Reason.ALLOWED_BY_CONSENT, Reason.ALLOWED_BY_LEGITIMATE_INTERESTS}
    assert after.reason is not Reason.ALLOWED_BY_PUBLIC_TASK


@given(histories, statuses, questions, st.sampled_from(Extent))
def test_do_not_contact_dominates_all_that_it_does_not_spare(
    known: list[Record], status: Status, asked: Question, extent: Extent
) -> None:
    for place in (-1, 61):
        entry = record(DoNotContact(extent), place, id="entry")
        then = asked if place < 0 else replace(asked, at=later(90))
        after = answered([*known, entry], status, then)
        spared = contact_rules.SPARED[extent]
        allowed = {Reason[f"ALLOWED_BY_{b.name}"] for b in spared}
        # Where it spares what the purpose rests on, something else may be the reason why not.
        if rests_on([r for r in known if r.time <= then.at], asked.purpose).isdisjoint(spared) or after.allowed:
            assert after.reason in {*allowed, Reason.DO_NOT_CONTACT}


@given(histories, statuses, questions, entries | st.builds(Withdrawn, purposes, channels), minutes)
def test_what_is_forbidden_or_withdrawn_never_allows_anything(
    known: list[Record], status: Status, asked: Question, change: DoNotContact | Withdrawn, minute: int
) -> None:
    before = answered(known, status, asked)
    after = answered([*known, record(change, minute, id="more")], status, asked)
    assert before.allowed or not after.allowed


@given(histories, statuses, questions, grounds, minutes)
def test_what_is_given_never_forbids_anything(
    known: list[Record], status: Status, asked: Question, change: Given, minute: int
) -> None:
    before = answered(known, status, asked)
    after = answered([*known, record(change, minute, id="more")], status, asked)
    assert after.allowed or not before.allowed


@given(histories, statuses, questions)
def test_lifting_an_entry_never_forbids_anything_and_undoes_it_whole(
    known: list[Record], status: Status, asked: Question
) -> None:
    asked = replace(asked, at=later(90))
    lifted = [record(Lifted(r.id), 61, id=f"lift {r.id}") for r in known if isinstance(r.change, DoNotContact)]
    without = [r for r in known if not isinstance(r.change, DoNotContact)]
    after = answered([*known, *lifted], status, asked)
    assert after == answered(without, status, asked)
    assert after.allowed or not answered(known, status, asked).allowed


@given(histories, statuses, questions)
def test_any_channel_will_do_exactly_if_one_of_them_does(known: list[Record], status: Status, asked: Question) -> None:
    each = [answered(known, status, replace(asked, channel=c)).allowed for c in Channel]
    assert answered(known, status, replace(asked, channel=None)).allowed is any(each)


@given(histories, statuses, questions)
def test_the_order_in_which_records_are_read_does_not_matter(
    known: list[Record], status: Status, asked: Question
) -> None:
    assert answered(known, status, asked) == answered(known[::-1], status, asked)


@given(histories, statuses, questions)
def test_every_answer_is_one_of_the_documented_and_names_a_record_of_the_customer(
    known: list[Record], status: Status, asked: Question
) -> None:
    decision = answered(known, status, asked)
    assert decision.record_id in {"", *(r.id for r in known)}
    if decision.reason in {Reason.WITHDRAWN, Reason.DO_NOT_CONTACT, Reason.EXPIRED, Reason.NOT_YET_VALID}:
        assert decision.record_id


@given(histories, statuses, questions)
def test_what_is_named_as_speaking_against_it_speaks_of_a_channel_that_would_do(
    known: list[Record], status: Status, asked: Question
) -> None:
    decision = answered(known, status, asked)
    for change in (r.change for r in known if r.id == decision.record_id and not decision.allowed):
        if isinstance(change, Withdrawn | DoNotContact):
            assert covered(change.channels) & asked.channels


@given(histories, statuses, questions, st.integers(0, 90), st.integers(1, 30))
def test_from_when_on_a_customer_may_be_contacted_it_may(
    known: list[Record], status: Status, asked: Question, start: int, length: int
) -> None:
    first = 12 * 60 + start
    window = Window("UTC", (Hours(tuple(Day), first, first + length),))
    asked = replace(asked, channel=SMS)
    decision = contact_rules.decide(known, status, erased=False, question=asked, window=window)
    if decision.reason is Reason.OUTSIDE_CONTACT_WINDOW:
        begin = opening(window, asked.at)
        assert begin is not None
        then = [r for r in known if r.time <= asked.at]
        after = contact_rules.decide(then, status, erased=False, question=replace(asked, at=begin), window=window)
        assert decision.opens == (begin if after.allowed else None)
    else:
        assert decision == answered(known, status, asked)
        assert decision.opens is None
