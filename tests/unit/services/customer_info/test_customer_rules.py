"""What a customer is, and what may become of it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Invalid, Refused
from services.customer_info.customers import import_rules, rules
from services.customer_info.customers.import_rules import Row
from services.customer_info.customers.rules import (
    TRANSITIONS,
    UPDATABLE,
    Billed,
    Billing,
    ContactMedium,
    Customer,
    ExternalId,
    Individual,
    MediumKind,
    Money,
    Organization,
    PaymentMethod,
    Status,
)
from services.customer_info.customers.structure_rules import DEEPEST, check_parents
from tests.unit.services.customer_info import strategies
from tests.unit.services.customer_info.builders import (
    NOON,
    billing_id,
    company,
    email,
    later,
    new_uuid,
    person,
    phone,
    social,
)

statuses = st.sampled_from(Status)


def test_a_new_customer_begins_at_version_one_with_its_times() -> None:
    made = rules.created(person(since=None, version=7), "an-id", NOON)
    assert (made.id, made.version, made.since, made.create_time, made.update_time) == ("an-id", 1, NOON, NOON, NOON)


@pytest.mark.parametrize("status", sorted(set(Status) - rules.FIRST))
def test_a_new_customer_starts_as_prospect_or_active_only(status: Status) -> None:
    with pytest.raises(Invalid) as refused:
        rules.created(person(status=status), new_uuid(), NOON)
    assert refused.value.field == "customer.status"


@pytest.mark.parametrize("status", Status)
def test_an_imported_customer_may_be_anywhere_in_its_life(status: Status) -> None:
    assert rules.loaded(person(status=status), new_uuid(), NOON).status is status


def test_an_email_address_is_kept_without_its_case() -> None:
    made = rules.created(person(contact_media=(email(" Ada@Example.COM "),)), new_uuid(), NOON)
    assert made.contact_media[0].value == "ada@example.com"


@pytest.mark.parametrize(
    ("customer", "field"),
    [
        (person(external_ids=(billing_id("1"), billing_id("1"))), "customer.external_ids"),
        (
            person(contact_media=(email("a@b.example", preferred=True), email("c@d.example", preferred=True))),
            "customer.contact_media",
        ),
        (
            person(contact_media=(phone("+4930123456"), phone("+4930123457", start=later(), end=NOON))),
            "customer.contact_media[1].valid",
        ),
        (person(id="same", parent_id="same"), "customer.parent_id"),
        (person(party=Individual("Ada", "  ")), "customer.individual.family_name"),
        (company(party=Organization(" ")), "customer.organization.trading_name"),
        (person(contact_media=(email("a@b.example"), email("a@b.example"))), "customer.contact_media[1].value"),
        (person(characteristics=(("senior", "no"), ("Care level", "gold"))), "customer.characteristics[1].name"),
        (person(characteristics=(("senior", "no"), ("senior", "yes"))), "customer.characteristics[1].name"),
    ],
)
def test_what_contradicts_itself_is_refused_by_field(customer: Customer, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.check(customer)
    assert refused.value.field == field


def test_a_number_may_go_and_come_back() -> None:
    rules.check(person(contact_media=(phone("+4930123456", end=NOON), phone("+4930123456", start=NOON))))


@pytest.mark.parametrize(
    "medium",
    [ContactMedium(MediumKind.POST, " \n "), ContactMedium(MediumKind.SOCIAL, "foo"), email("a"), phone("+49 30 x")],
)
def test_an_address_that_is_none_of_its_kind_is_refused(medium: ContactMedium) -> None:
    with pytest.raises(Invalid) as refused:
        rules.created(person(contact_media=(email("a@b.example"), medium)), new_uuid(), NOON)
    assert refused.value.field == "customer.contact_media[1].value"


def test_an_external_id_is_kept_without_blanks_around_it() -> None:
    made = rules.created(person(external_ids=(ExternalId(" billing ", " A-77 "),)), new_uuid(), NOON)
    assert made.external_ids == (ExternalId("billing", "A-77"),)
    assert rules.updated(made, replace(made, external_ids=(ExternalId("billing", " A-77"),)), UPDATABLE, NOON) == (
        made,
        frozenset(),
    )


def test_a_preferred_email_and_a_preferred_phone_go_together() -> None:
    rules.check(person(contact_media=(email("a@b.example", preferred=True), phone("+4930123456", preferred=True))))


@given(strategies.customers, strategies.customers, st.sets(st.sampled_from(sorted(UPDATABLE))))
def test_an_update_bumps_the_version_exactly_if_something_changed(
    customer: Customer, wish: Customer, names: set[str]
) -> None:
    wish = replace(wish, party=replace(customer.party), parent_id="")
    after, changed = rules.updated(customer, wish, names, NOON)
    differing = {n for n in names if getattr(wish, n) != getattr(customer, n)}
    assert changed == differing
    assert after.version == customer.version + bool(differing)
    assert (after is customer) is not bool(differing)
    assert all(getattr(after, n) == getattr(wish, n) for n in names)
    assert all(getattr(after, n) == getattr(customer, n) for n in UPDATABLE - names)


def test_a_person_never_becomes_an_organization() -> None:
    with pytest.raises(Invalid) as refused:
        rules.updated(person(), company(), {"party"}, NOON)
    assert refused.value.field == "customer.organization"
    with pytest.raises(Invalid) as refused:
        rules.updated(company(), person(), {"party"}, NOON)
    assert refused.value.field == "customer.individual"


@given(st.lists(statuses, max_size=12))
def test_out_of_the_archive_one_way_leads(wishes: list[Status]) -> None:
    customer = person()
    for status in wishes:
        before = customer
        try:
            customer = rules.moved(customer, status, later())
        except Refused:
            assert status not in TRANSITIONS[before.status]
            continue
        assert before.status is not Status.ARCHIVED or customer.status in {Status.ARCHIVED, Status.CLOSED}
        assert customer.version == before.version + (customer.status is not before.status)


def test_a_forbidden_transition_names_those_allowed() -> None:
    with pytest.raises(Refused) as refused:
        rules.moved(person(), Status.ARCHIVED, NOON)
    assert refused.value.reason == "FORBIDDEN_TRANSITION"
    assert refused.value.metadata == {"from": "active", "to": "archived", "allowed": "closed, suspended"}


def test_an_import_changes_fields_and_status_in_one_version() -> None:
    before = person()
    after, names = import_rules.imported(before, Row(replace(before, language="de", status=Status.CLOSED)), later())
    assert names == {"language", "status"}
    assert (after.status, after.language, after.version, after.update_time) == (Status.CLOSED, "de", 2, later())


def test_a_row_that_says_no_status_leaves_a_suspended_customer_suspended() -> None:
    before = person(status=Status.SUSPENDED)
    row = Row(replace(before, status=Status.ACTIVE), says_status=False)
    assert import_rules.imported(before, row, later()) == (before, frozenset())


def test_an_import_never_moves_the_day_a_customer_came() -> None:
    before = person()
    assert import_rules.imported(before, Row(replace(before, since=later())), later()) == (before, frozenset())
    after, _ = import_rules.imported(replace(before, since=None), Row(replace(before, since=later())), later())
    assert after.since == later()


TOLD = person(
    contact_media=(email("a@b.example", preferred=True), phone("+4930123456"), email("c@d.example")),
    billing=Billing(PaymentMethod.CREDIT_CARD, paperless=True),
    billed=Billed(Money("EUR", 1), Money("EUR", 2)),
)


@pytest.mark.parametrize(
    ("told", "wish", "changes"),
    [
        (
            {"individual.given_name"},
            person(party=Individual("Augusta", "")),
            {"party": Individual("Augusta", "Example")},
        ),
        (
            {"contact_media.email"},
            person(contact_media=(email("A@b.example"), phone("+4930999999"))),
            {"contact_media": (email("a@b.example", preferred=True), phone("+4930123456"))},
        ),
        (
            {"contact_media.email"},
            person(contact_media=(email("a@b.example"), email("c@d.example", preferred=True))),
            {
                "contact_media": (
                    email("a@b.example"),
                    phone("+4930123456"),
                    email("c@d.example", preferred=True),
                )
            },
        ),
        (
            {"contact_media.email", "contact_media.social"},
            person(contact_media=(social("net:a"), *map(email, ("e@f.example", "c@d.example", "a@b.example")))),
            {
                "contact_media": (
                    email("e@f.example"),
                    phone("+4930123456"),
                    email("c@d.example"),
                    email("a@b.example", preferred=True),
                    social("net:a"),
                )
            },
        ),
        ({"billing.paperless"}, person(billing=Billing()), {"billing": Billing(PaymentMethod.CREDIT_CARD)}),
        ({"billed.total"}, person(), {"billed": Billed(Money("EUR", 1))}),
        ({"billed"}, person(), {"billed": None}),
        ({"id", "create_time"}, person(language="fr"), {}),
    ],
)
def test_what_a_row_tells_of_in_part_stays_as_it_is_for_the_rest(
    told: set[str], wish: Customer, changes: dict[str, object]
) -> None:
    row = Row(replace(wish, id=TOLD.id), told=frozenset(told))
    after, names = import_rules.imported(TOLD, row, NOON)
    assert names == set(changes)
    assert replace(after, version=1, update_time=NOON) == replace(TOLD, **changes)  # type: ignore[arg-type]


NUMBER = "+4930123456"
ADDRESSES = [email("a@b.example"), email("c@d.example"), phone(NUMBER), phone("+4930999999"), social("net:a")]


@given(st.lists(st.sampled_from(ADDRESSES), max_size=8), st.integers(0, 8), st.sets(st.sampled_from(MediumKind)))
def test_a_row_that_says_what_is_there_of_some_kinds_changes_nothing(
    there: list[ContactMedium], preferred: int, kinds: set[MediumKind]
) -> None:
    # One after the other, so that an address may come back.
    media = [replace(m, start=later(n), end=later(n + 1), preferred=n == preferred) for n, m in enumerate(there)]
    before = person(contact_media=tuple(media))
    told = tuple(replace(m, preferred=False) for kind in MediumKind for m in media if m.kind is kind)
    fields = frozenset({"id", *(f"contact_media.{kind.value}" for kind in kinds)})
    row = Row(replace(before, contact_media=told), told=fields)
    assert import_rules.imported(before, row, later()) == (before, frozenset())


@pytest.mark.parametrize(
    ("there", "told", "then"),
    [
        # At the time it had.
        (
            [phone(NUMBER, end=NOON), phone(NUMBER, start=later(), preferred=True)],
            [phone(NUMBER, start=later()), phone(NUMBER, end=NOON)],
            [phone(NUMBER, start=later(), preferred=True), phone(NUMBER, end=NOON)],
        ),
        # At another time, in the turn it had.
        (
            [phone(NUMBER, end=NOON), phone(NUMBER, start=later(), preferred=True)],
            [phone(NUMBER, end=NOON), phone(NUMBER, start=later(2))],
            [phone(NUMBER, end=NOON), phone(NUMBER, start=later(2), preferred=True)],
        ),
        (
            [phone(NUMBER, end=NOON), phone(NUMBER, start=later(), preferred=True)],
            [phone(NUMBER, start=later(2)), phone("+4930999999")],
            [phone(NUMBER, start=later(2), preferred=True), phone("+4930999999")],
        ),
        (
            [phone(NUMBER, preferred=True)],
            [phone(NUMBER, end=NOON), phone(NUMBER, start=later())],
            [phone(NUMBER, end=NOON, preferred=True), phone(NUMBER, start=later())],
        ),
        # Gone, or another is now.
        ([phone(NUMBER, preferred=True)], [phone("+4930999999")], [phone("+4930999999")]),
        (
            [phone(NUMBER, end=NOON, preferred=True), phone(NUMBER, start=later())],
            [phone(NUMBER, end=NOON), phone(NUMBER, start=later(), preferred=True)],
            [phone(NUMBER, end=NOON), phone(NUMBER, start=later(), preferred=True)],
        ),
    ],
)
def test_of_a_number_that_went_and_came_back_the_one_that_was_preferred_stays_so(
    there: list[ContactMedium], told: list[ContactMedium], then: list[ContactMedium]
) -> None:
    before = person(contact_media=tuple(there))
    row = Row(replace(before, contact_media=tuple(told)), told=frozenset({"contact_media.phone"}))
    after, _ = import_rules.imported(before, row, NOON)
    assert after.contact_media == tuple(then)


def test_a_row_that_does_not_say_who_it_is_about_leaves_that() -> None:
    there = company()
    row = Row(replace(there, party=Individual("", ""), language="de"), says_party=False)
    after, names = import_rules.imported(there, row, later())
    assert (after.party, set(names)) == (there.party, {"language"})


def test_what_is_archived_stays_as_it_is_until_it_is_closed() -> None:
    there = person(status=Status.ARCHIVED)
    assert import_rules.imported(there, Row(there), later()) == (there, frozenset())
    with pytest.raises(Refused) as refused:
        import_rules.imported(there, Row(replace(there, language="de")), later())
    assert refused.value.metadata == {"state": "archived"}
    back, _ = import_rules.imported(there, Row(replace(there, language="de", status=Status.CLOSED)), later())
    assert (back.language, back.status) == ("de", Status.CLOSED)


def test_a_parent_is_an_organization() -> None:
    with pytest.raises(Invalid, match="organization"):
        check_parents(person(), [person()])
    check_parents(person(), [company(), company()])


def test_a_customer_is_never_above_itself() -> None:
    customer = company()
    with pytest.raises(Invalid, match="above itself"):
        check_parents(customer, [company(), customer])


def test_a_structure_has_an_end() -> None:
    check_parents(person(), [company() for _ in range(DEEPEST - 1)])
    with pytest.raises(Invalid, match="deeper"):
        check_parents(person(), [company() for _ in range(DEEPEST)])
    check_parents(company(), [company() for _ in range(DEEPEST - 10)], height=9)
    with pytest.raises(Invalid, match="deeper"):
        check_parents(company(), [company() for _ in range(DEEPEST - 10)], height=10)
