"""Whether two records are one customer."""

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.customer_info.customers.rules import ContactMedium, Customer, Individual, MediumKind, Organization
from services.customer_info.duplicates.profile_rules import Address, address, digits, mailbox, profile
from services.customer_info.duplicates.rules import MOST_KEYS, Verdict, blocking_keys, blocking_steps, compared
from services.customer_info.duplicates.weights_rules import PRIOR
from tests.unit.services.customer_info import strategies
from tests.unit.services.customer_info.builders import company, email, person, phone

MAIL, MOBILE, LINE = email("anna.mueller@example.com"), phone("+4917612345678"), phone("+49301234567")
HOME = ContactMedium(MediumKind.POST, "Hauptstraße 5, 10115 Berlin")
AWAY = ContactMedium(MediumKind.POST, "Rosenweg 12, 50667 Köln")


def who(given_name: str, family: str, *media: ContactMedium) -> Customer:
    return person(party=Individual(given_name, family), contact_media=media)


def firm(name: str, *media: ContactMedium, number: str = "") -> Customer:
    return company(party=Organization(name, number), contact_media=media)


def codes(a: Customer, b: Customer) -> dict[str, str]:
    return {part.field: part.code for part in compared(a, b).parts}


ANNA = who("Anna", "Müller", MAIL, MOBILE, HOME)


@pytest.mark.parametrize(
    "again",
    [
        who("Anna", "Müller", MAIL, MOBILE, HOME),
        who("Anna", "Mueller", MAIL),
        who("Anna", "Mülker", MOBILE),
        who("Müller", "Anna", MAIL),
        who("Müler", "Anna", MOBILE),
        who("Anna", "Müller", MOBILE, AWAY),
        who("Anna", "Schmidt", MAIL, MOBILE, AWAY),
        who("Anna", "Müller-Schmidt", MOBILE),
        who("Anni", "Müller", MAIL),
        who("A.", "Müller", MAIL),
        who("Anna Maria", "Müller", MOBILE),
        who("Anna", "Müller", ContactMedium(MediumKind.POST, "10115 Berlin, Hauptstr. 5")),
        who("Anna", "Müller", email("anna.mueler@example.com"), HOME),
        who("Anna", "Müller", phone("+4917612345687"), HOME),
    ],
)
def test_one_person_recorded_twice_is_the_same(again: Customer) -> None:
    assert compared(ANNA, again).verdict is Verdict.SAME
    assert blocking_keys(ANNA) & blocking_keys(again)


@pytest.mark.parametrize(
    "other",
    [
        who("Peter", "Müller", MAIL, LINE, HOME),
        who("Lena", "Müller", MAIL, MOBILE, HOME),
        who("Anna", "Müller"),
        who("Anna", "Müller", email("anna@elsewhere.example"), phone("+4915198765432"), AWAY),
        who("Peter", "Schmidt", HOME),
        who("Anna", "Schmidt", HOME),
        firm("Anna Müller", MAIL, MOBILE, HOME),
    ],
)
def test_relatives_namesakes_and_neighbours_are_others(other: Customer) -> None:
    assert compared(ANNA, other).verdict is Verdict.DIFFERENT


def test_a_senior_and_a_junior_in_one_house_are_two() -> None:
    assert compared(who("Karl", "Krause sen.", LINE, HOME), who("Karl", "Krause jun.", LINE, HOME)).verdict is (
        Verdict.DIFFERENT
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (who("Karl", "Krause", LINE, HOME), who("Karl", "Krause jun.", LINE, HOME)),
        (who("Paul", "Krause", MAIL, LINE, HOME), who("Paula", "Krause", MAIL, LINE, HOME)),
        (who("Jan", "Krause", LINE, HOME), who("Jon", "Krause", LINE, HOME)),
        (
            who("Karl", "Krause", email("karl@example.com"), MOBILE, LINE, HOME),
            who("Karl", "Krause", email("kk@example.com"), phone("+4915198765432"), LINE, HOME),
        ),
    ],
)
def test_two_under_one_roof_with_names_that_leave_it_open_are_for_somebody_to_look_at(
    one: Customer, other: Customer
) -> None:
    assert compared(one, other).verdict is Verdict.POSSIBLE


NORDWIND = firm("Nordwind Logistik GmbH", LINE, HOME, number="HRB 1234")


@pytest.mark.parametrize(
    "again",
    [
        firm("Nordwind Logistik", number="HRB 1234"),
        firm("Logistik Nordwind GmbH", number="hrb1234"),
        firm("Nordwind Logistic", LINE, HOME),
        firm("Nordwind Log.", LINE, HOME),
        firm("Nordwind Logistik Gmhb", LINE),
        firm("Südwind Spedition GmbH", LINE, number="HRB 1234"),
    ],
)
def test_one_company_recorded_twice_is_the_same(again: Customer) -> None:
    assert compared(NORDWIND, again).verdict is Verdict.SAME
    assert blocking_keys(NORDWIND) & blocking_keys(again)


@pytest.mark.parametrize(
    "other",
    [
        firm("Nordwind Logistik GmbH", LINE, HOME, number="HRB 9876"),
        firm("Nordwind Bau GmbH", LINE, HOME),
        firm("Nordwind Logistik AG"),
    ],
)
def test_sister_companies_are_others(other: Customer) -> None:
    assert compared(NORDWIND, other).verdict is Verdict.DIFFERENT


def test_the_score_is_what_the_evidence_adds_up_to() -> None:
    comparison = compared(ANNA, who("Anna", "Mülker", MOBILE, AWAY))
    odds = comparison.score / (1 - comparison.score)
    assert log2(odds) == pytest.approx(PRIOR + sum(part.weight for part in comparison.parts))


def test_the_evidence_names_field_and_kind_of_agreement() -> None:
    assert codes(ANNA, who("Müller", "Anna", MOBILE, AWAY)) == {
        "name_order": "swapped",
        "given_name": "same",
        "family_name": "same",
        "phone": "same",
        "post": "differs",
    }


def test_what_a_household_shares_is_taken_back() -> None:
    comparison = compared(ANNA, who("Peter", "Müller", MAIL, MOBILE, HOME))
    taken = next(part for part in comparison.parts if part.field == "household")
    assert taken.weight < 0


customers = st.builds(
    lambda base, party, media: person(party=party, contact_media=media, external_ids=base.external_ids),
    strategies.customers,
    strategies.parties,
    st.lists(st.sampled_from([MAIL, MOBILE, LINE, HOME, AWAY]), max_size=3).map(tuple),
)


@given(customers, customers)
def test_it_does_not_matter_which_of_two_comes_first(a: Customer, b: Customer) -> None:
    one, other = compared(a, b), compared(b, a)
    assert one.score == pytest.approx(other.score)
    assert sorted(p.code for p in one.parts) == sorted(p.code for p in other.parts)


few = st.sampled_from(["Anna", "Ana Maria", "A.", "Müller", "Mueller-Anna", "Müller jun.", "Anan", "M", "Maria Anna"])


@given(few, few, few, few)
def test_swapped_and_slipped_names_compare_alike_either_way(a: str, b: str, c: str, d: str) -> None:
    one, other = who(a, b, MAIL), who(c, d, MAIL)
    assert compared(one, other).score == pytest.approx(compared(other, one).score)


@given(customers)
def test_a_customer_resembles_itself_as_much_as_anybody_can(customer: Customer) -> None:
    assert all(part.weight > 0 for part in compared(customer, customer).parts)
    assert 0.0 < compared(customer, customer).score <= 1.0


def test_keys_that_few_share_are_asked_for_before_that_of_the_names() -> None:
    telling, names = blocking_steps(ANNA)
    assert {key[0] for key in telling} == {"e", "t", "a"}
    assert names == {"n:ana|mule"}
    assert telling | names == blocking_keys(ANNA)


@given(customers)
def test_blocking_keys_are_few_and_do_not_depend_on_the_profile_being_made_before(customer: Customer) -> None:
    keys = blocking_keys(customer)
    assert len(keys) <= MOST_KEYS
    assert keys == blocking_keys(profile(customer))


def test_whatever_of_many_addresses_two_records_share_they_are_worth_comparing() -> None:
    mails = [email(f"{letter}@example.com") for letter in "abcdefghij"]
    phones = [phone(f"+4917612345{n}") for n in range(600, 611)]
    houses = [ContactMedium(MediumKind.POST, f"Hauptstraße {n}, 10115 Berlin") for n in range(1, 12)]
    many = who("Maria", "Huber", *mails, *phones, *houses)
    assert len(blocking_keys(many)) == MOST_KEYS - 1, "all that a person may have; a number in a register is none of it"
    for shared in (mails, phones, houses):
        for medium in shared:
            assert blocking_keys(who("Maria", "Gruber-Lang", medium)) & blocking_keys(many)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Hauptstraße 5, 10115 Berlin", Address(frozenset({"haupt", "berlin"}), "10115", "5")),
        ("10115 Berlin, Hauptstr. 5a", Address(frozenset({"haupt", "berlin"}), "10115", "5")),
        ("10 Downing Street, London SW1A 2AA", Address(frozenset({"downing", "london"}), "sw1a2aa", "10")),
        ("Berlin", Address(frozenset({"berlin"}), "", "")),
    ],
)
def test_an_address_is_read_however_its_lines_are_ordered(text: str, read: Address) -> None:
    assert address(text) == read


def test_one_mailbox_has_several_addresses() -> None:
    assert mailbox("Ada.Example+crm@GMail.com") == "adaexample@gmail.com"
    assert mailbox("Ada.Example@example.com") == "ada.example@example.com"


def test_a_number_is_told_by_its_last_digits() -> None:
    assert digits("+49 30 1234567") == digits("0049301234567") == "301234567"
    assert digits("110") == ""
