"""Whether a customer may be contacted, line by line of the table."""

from dataclasses import replace

import pytest

from services.customer_info.consents import contact_rules
from services.customer_info.consents.contact_rules import Decision, Question, Reason
from services.customer_info.consents.rules import (
    Basis,
    Channel,
    Extent,
    Given,
    Lifted,
    Record,
    Withdrawn,
)
from services.customer_info.customers.rules import Status
from services.customer_info.profiles.rules import Day, Hours, Window
from tests.unit.services.customer_info.builders import later
from tests.unit.services.customer_info.consent_builders import MARKETING, STOP, question, record, silence

EMAIL, SMS, POST = Channel.EMAIL, Channel.SMS, Channel.POST
INTERESTS = Given("marketing", Basis.LEGITIMATE_INTERESTS)


def decide(
    *records: Record,
    asked: Question | None = None,
    status: Status = Status.ACTIVE,
    erased: bool = False,
    window: Window | None = None,
) -> Decision:
    return contact_rules.decide(records, status, erased=erased, question=asked or question(), window=window)


# Noon in the builders' year, and a window that is shut then and opens two hours later.
SHUT = Window("UTC", (Hours(tuple(Day), 14 * 60, 15 * 60),))
OPEN = Window("UTC", (Hours(tuple(Day), 11 * 60, 15 * 60),))
OPENS = later(120)


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("purpose", ["marketing", "billing"])
def test_outside_of_its_hours_a_customer_is_not_disturbed(channel: Channel, purpose: str) -> None:
    consent = record(MARKETING)
    asked = question(purpose, channel, 1)
    decision = decide(consent, asked=asked, window=SHUT)
    if channel in (EMAIL, POST):
        assert decision.allowed
    else:
        assert decision == Decision(Reason.OUTSIDE_CONTACT_WINDOW, opens=OPENS)
    assert decide(consent, asked=asked, window=OPEN) == decide(consent, asked=asked)
    assert decide(consent, asked=question(purpose, channel, 121), window=SHUT).allowed


@pytest.mark.parametrize("purpose", ["legal_notice", "emergency"])
def test_what_the_law_demands_or_life_depends_on_does_not_wait(purpose: str) -> None:
    assert decide(asked=question(purpose, Channel.CALL, 1), window=SHUT).allowed


def test_whoever_asks_for_any_channel_may_write_outside_of_the_hours() -> None:
    assert decide(asked=question("billing", None, 1), window=SHUT).allowed
    calls = record(Given("marketing", Basis.CONSENT, (Channel.CALL, SMS)))
    assert decide(calls, asked=question("marketing", None, 1), window=SHUT).reason is Reason.OUTSIDE_CONTACT_WINDOW


def test_the_hours_say_nothing_where_the_customer_may_not_be_contacted_anyway() -> None:
    for records in ((), (record(MARKETING), record(STOP, 1)), (record(MARKETING), record(silence()))):
        asked = question("marketing", Channel.CALL, 2)
        assert decide(*records, asked=asked, window=SHUT) == decide(*records, asked=asked)


def test_when_the_hours_begin_is_told_only_where_the_answer_is_yes_then() -> None:
    asked = question("marketing", Channel.CALL, 1)
    tonight, consent = record(replace(MARKETING, end=OPENS)), record(MARKETING)
    from_then = record(silence(start=OPENS, end=later(200)))
    later_on = record(replace(MARKETING, start=OPENS))
    outside = Reason.OUTSIDE_CONTACT_WINDOW
    assert decide(tonight, asked=asked, window=SHUT) == Decision(outside)
    assert decide(consent, from_then, asked=asked, window=SHUT) == Decision(outside)
    assert decide(tonight, later_on, asked=asked, window=SHUT) == Decision(outside, opens=OPENS)
    # What is recorded after the time asked for was not known then.
    assert decide(consent, record(STOP, 2), asked=asked, window=SHUT) == Decision(outside, opens=OPENS)


@pytest.mark.parametrize(
    ("purpose", "reason"),
    [
        ("marketing", Reason.NO_CONSENT),
        ("profiling", Reason.NO_CONSENT),
        ("surveys", Reason.NO_CONSENT),
        ("anything_else", Reason.NO_CONSENT),
        ("service", Reason.ALLOWED_BY_CONTRACT),
        ("billing", Reason.ALLOWED_BY_CONTRACT),
        ("legal_notice", Reason.ALLOWED_BY_LEGAL_OBLIGATION),
        ("emergency", Reason.ALLOWED_BY_VITAL_INTERESTS),
        ("fraud_prevention", Reason.ALLOWED_BY_LEGITIMATE_INTERESTS),
        ("credit_check", Reason.ALLOWED_BY_LEGITIMATE_INTERESTS),
    ],
)
def test_a_purpose_has_its_own_ground_or_needs_a_record(purpose: str, reason: Reason) -> None:
    assert decide(asked=question(purpose)) == Decision(reason)


@pytest.mark.parametrize("basis", Basis)
def test_a_recorded_ground_allows_by_its_basis_and_names_its_record(basis: Basis) -> None:
    ground = record(Given("raffle", basis))
    decision = decide(ground, asked=question("raffle"))
    assert decision == Decision(Reason[f"ALLOWED_BY_{basis.name}"], ground.id)
    assert decision.allowed


def test_a_consent_counts_within_its_time_which_is_half_open() -> None:
    ground = record(replace(MARKETING, start=later(10), end=later(20)))
    answers = {m: decide(ground, asked=question(minute=m)) for m in (9, 10, 19, 20)}
    assert answers[9] == Decision(Reason.NOT_YET_VALID, ground.id)
    assert answers[10] == answers[19] == Decision(Reason.ALLOWED_BY_CONSENT, ground.id)
    assert answers[20] == Decision(Reason.EXPIRED, ground.id)


def test_a_consent_counts_for_its_channels() -> None:
    ground = record(replace(MARKETING, channels=(EMAIL, SMS)))
    assert decide(ground, asked=question(channel=SMS)).allowed
    assert decide(ground, asked=question(channel=POST)) == Decision(Reason.CHANNEL_NOT_COVERED, ground.id)
    assert decide(ground, asked=question(channel=None)).allowed


def test_for_a_time_that_has_passed_counts_what_was_known_then() -> None:
    ground, stop = record(MARKETING, 10), record(STOP, 20)
    answers = [decide(ground, stop, asked=question(minute=m)).reason for m in (9, 10, 19, 20)]
    allowed = Reason.ALLOWED_BY_CONSENT
    assert answers == [Reason.NO_CONSENT, allowed, allowed, Reason.WITHDRAWN]
    late = record(replace(MARKETING, start=later(-100)), 10)
    assert decide(late, asked=question(minute=9)).reason is Reason.NO_CONSENT


def test_a_withdrawal_ends_what_was_recorded_or_had_begun_before_it() -> None:
    stop = record(STOP, 20)
    ended = [
        record(MARKETING, 10),
        record(replace(MARKETING, start=later(30)), 10),
        record(replace(MARKETING, start=later(15)), 25),
        record(replace(MARKETING, end=later(40)), 10),
    ]
    for ground in ended:
        assert decide(ground, stop) == Decision(Reason.WITHDRAWN, stop.id)
    anew = record(MARKETING, 21)
    assert decide(*ended, stop, anew) == Decision(Reason.ALLOWED_BY_CONSENT, anew.id)


def test_a_withdrawal_for_a_channel_leaves_the_others() -> None:
    ground, stop = record(replace(MARKETING, channels=(EMAIL, SMS))), record(replace(STOP, channels=(SMS,)), 5)
    assert decide(ground, stop, asked=question(channel=EMAIL)).allowed
    assert decide(ground, stop, asked=question(channel=SMS)) == Decision(Reason.WITHDRAWN, stop.id)
    assert decide(ground, stop, asked=question(channel=None)).allowed
    rest = record(replace(STOP, channels=(EMAIL,)), 6)
    assert decide(ground, stop, rest, asked=question(channel=None)) == Decision(Reason.WITHDRAWN, rest.id)


def test_the_withdrawal_that_decided_is_named_and_no_later_one_for_another_channel() -> None:
    for ground in (record(MARKETING), record(INTERESTS)):
        stop, other = record(replace(STOP, channels=(EMAIL,)), 1), record(replace(STOP, channels=(SMS,)), 2)
        assert decide(ground, stop, other, asked=question(channel=EMAIL)).record_id == stop.id
        assert decide(ground, stop, other, asked=question(channel=SMS)).record_id == other.id
    few, rest = record(replace(MARKETING, channels=(EMAIL, POST))), record(replace(STOP, channels=(POST,)), 3)
    assert decide(few, stop, other, rest, record(replace(STOP, channels=(SMS,)), 4), asked=question(channel=None)) == (
        Decision(Reason.WITHDRAWN, rest.id)
    )


def test_an_entry_for_a_channel_that_was_withdrawn_did_not_decide() -> None:
    ground, stop = record(replace(MARKETING, channels=(EMAIL, SMS))), record(replace(STOP, channels=(SMS,)), 1)
    entry, idle = record(silence(channels=(EMAIL,)), 2), record(silence(channels=(SMS,)), 3)
    assert decide(ground, stop, entry, idle, asked=question(channel=None)) == Decision(Reason.DO_NOT_CONTACT, entry.id)


def test_a_withdrawal_from_one_purpose_leaves_the_others() -> None:
    ground = record(Given("surveys", Basis.CONSENT))
    assert decide(ground, record(STOP, 5), asked=question("surveys")).allowed


def test_interests_are_objected_to_and_nobody_has_to_have_recorded_them() -> None:
    stop = record(STOP, 5)
    assert decide(record(INTERESTS), stop) == Decision(Reason.OBJECTED, stop.id)
    assert decide(stop) == Decision(Reason.OBJECTED, stop.id)
    fraud = record(Withdrawn("fraud_prevention"), 5)
    assert decide(fraud, asked=question("fraud_prevention")) == Decision(Reason.OBJECTED, fraud.id)


def test_an_objection_for_one_channel_is_not_one_for_another() -> None:
    stop = record(replace(STOP, channels=(SMS,)), 5)
    assert decide(stop, asked=question(channel=SMS)).reason is Reason.OBJECTED
    assert decide(stop, asked=question(channel=EMAIL)).reason is Reason.NO_CONSENT


@pytest.mark.parametrize("basis", [Basis.CONTRACT, Basis.LEGAL_OBLIGATION, Basis.VITAL_INTERESTS])
def test_a_contract_and_the_law_cannot_be_withdrawn(basis: Basis) -> None:
    assert decide(record(Given("marketing", basis)), record(STOP, 5)).allowed


def test_what_has_another_ground_left_is_allowed_by_that() -> None:
    contract, consent = record(Given("marketing", Basis.CONTRACT)), record(MARKETING, 1)
    assert decide(contract, consent, record(STOP, 5)) == Decision(Reason.ALLOWED_BY_CONTRACT, contract.id)


@pytest.mark.parametrize(
    ("extent", "allowed"),
    [
        (Extent.UNSOLICITED, {"service", "billing", "legal_notice", "emergency"}),
        (Extent.ALL_BUT_REQUIRED, {"legal_notice", "emergency"}),
    ],
)
def test_a_do_not_contact_entry_spares_what_its_extent_says(extent: Extent, allowed: set[str]) -> None:
    entry = record(silence(extent=extent))
    purposes = ["marketing", "fraud_prevention", *contact_rules.BY_PURPOSE]
    answers = {p: decide(record(MARKETING), entry, asked=question(p)) for p in purposes}
    assert {p for p, d in answers.items() if d.allowed} == allowed
    assert {d for p, d in answers.items() if p not in allowed} == {Decision(Reason.DO_NOT_CONTACT, entry.id)}


def test_an_entry_is_no_reason_where_it_spares_what_the_purpose_rests_on() -> None:
    spares, forbids = record(silence(), 2), record(silence(extent=Extent.ALL_BUT_REQUIRED), 1)
    billing = question("billing")
    assert decide(spares, asked=billing, status=Status.CLOSED) == Decision(Reason.CUSTOMER_LEFT)
    assert decide(spares, forbids, asked=billing, status=Status.CLOSED) == Decision(Reason.DO_NOT_CONTACT, forbids.id)
    ended = record(Given("marketing", Basis.CONTRACT, end=later(10)))
    assert decide(spares, ended) == Decision(Reason.EXPIRED, ended.id)
    assert decide(spares, ended, forbids) == Decision(Reason.DO_NOT_CONTACT, forbids.id)
    assert decide(spares, record(replace(MARKETING, end=later(10)))) == Decision(Reason.DO_NOT_CONTACT, spares.id)


def test_an_entry_holds_for_its_time_its_channels_and_its_purposes() -> None:
    ground = record(MARKETING)
    entry = record(silence(channels=(SMS,), purposes=("marketing",), start=later(10), end=later(20)), 1)

    def reason(**asked: object) -> Reason:
        return decide(ground, entry, asked=question(**{"channel": SMS, "minute": 10, **asked})).reason  # type: ignore[arg-type]

    assert reason() is Reason.DO_NOT_CONTACT
    assert reason(minute=19) is Reason.DO_NOT_CONTACT
    for free in ({"minute": 9}, {"minute": 20}, {"channel": EMAIL}, {"channel": None}):
        assert reason(**free) is Reason.ALLOWED_BY_CONSENT
    assert reason(purpose="surveys") is Reason.NO_CONSENT


def test_entries_for_all_channels_together_leave_none() -> None:
    ground = record(replace(MARKETING, channels=(EMAIL, SMS)))
    entries = [record(silence(channels=(c,)), n) for n, c in enumerate((EMAIL, SMS), 1)]
    assert decide(ground, entries[0], asked=question(channel=None)).allowed
    assert decide(ground, *entries, asked=question(channel=None)) == Decision(Reason.DO_NOT_CONTACT, entries[1].id)


def test_an_entry_that_was_lifted_holds_no_more_and_did_before() -> None:
    ground, entry = record(MARKETING), record(silence(), 5)
    lifting = record(Lifted(entry.id), 10)
    assert decide(ground, entry, lifting, asked=question(minute=9)).reason is Reason.DO_NOT_CONTACT
    assert decide(ground, entry, lifting, asked=question(minute=10)).allowed


def test_a_channel_that_is_forbidden_and_one_that_was_withdrawn_leave_none() -> None:
    ground = record(replace(MARKETING, channels=(EMAIL, SMS)))
    stop, entry = record(replace(STOP, channels=(SMS,)), 1), record(silence(channels=(EMAIL,)), 2)
    assert decide(ground, stop, entry, asked=question(channel=None)) == Decision(Reason.DO_NOT_CONTACT, entry.id)


def test_the_contract_ends_as_the_customer_leaves_and_consent_does_not() -> None:
    consent = record(MARKETING)
    assert decide(asked=question("service"), status=Status.CLOSED) == Decision(Reason.CUSTOMER_LEFT)
    assert decide(asked=question("legal_notice"), status=Status.ARCHIVED).allowed
    assert decide(consent, status=Status.CLOSED).allowed
    assert decide(consent, status=Status.ARCHIVED) == Decision(Reason.CUSTOMER_LEFT, consent.id)
    for status in (Status.PROSPECT, Status.ACTIVE, Status.SUSPENDED):
        assert decide(asked=question("service"), status=status).allowed


@pytest.mark.parametrize("purpose", [*contact_rules.BY_PURPOSE, "marketing"])
def test_of_an_erased_person_nothing_is_left_to_contact(purpose: str) -> None:
    assert decide(record(MARKETING), asked=question(purpose), erased=True) == Decision(Reason.CUSTOMER_ERASED)


def test_the_latest_ground_says_why_not() -> None:
    first = record(replace(MARKETING, end=later(10)), 0)
    second = record(replace(MARKETING, channels=(SMS,)), 5)
    assert decide(first, second) == Decision(Reason.CHANNEL_NOT_COVERED, second.id)
    assert decide(first, record(STOP, 2), second).reason is Reason.CHANNEL_NOT_COVERED


def test_every_basis_has_its_rank() -> None:
    assert sorted(contact_rules.RANK) == sorted(Basis)
