"""What a customer is found under, what is looked for, and how answers are ranked."""

# ruff: noqa: RUF001 - letters of several alphabets are the point

from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.customer_info.names.forms_rules import LEGAL_FORMS, PARTICLES, TITLES
from services.customer_info.names.rules import sound
from services.customer_info.search.ranking_rules import FLOOR, FOUND, GOOD
from services.customer_info.search.rules import MOST_PAIRED, MOST_WORDS, WORD, Reach, Step, index_terms, plan, ranked
from services.customer_info.search.spelling_rules import continued, slips

LETTERS = "abcdefghijklmnopqrstuvwxyz"
names = st.text(LETTERS, min_size=4, max_size=14)
texts = st.text(max_size=40)
edits = st.sampled_from(["drop", "add", "swap", "replace"])


def asked(query: str, *reaches: Reach) -> frozenset[str]:
    """All terms that a plan asks for, within these reaches."""
    return frozenset(t for step in plan(query).steps if step.reach in (reaches or tuple(Reach)) for t in step.terms)


def order(query: str, *candidates: Sequence[str]) -> list[str]:
    return [" ".join(who) for who, _ in ranked(query, [(tuple(c), c) for c in candidates])]


def score(query: str, *given_names: str) -> float:
    found = ranked(query, [(1, given_names)])
    return found[0][1] if found else 0.0


def edited(word: str, at: int, edit: str, letter: str) -> str:
    at %= len(word)
    match edit:
        case "drop":
            return word[:at] + word[at + 1 :]
        case "add":
            return word[:at] + letter + word[at:]
        case "swap":
            return word[:at] + word[at : at + 2][::-1] + word[at + 2 :]
        case _:
            return word[:at] + letter + word[at + 1 :]


@given(names, st.integers(0, 20), edits, st.sampled_from(LETTERS))
def test_a_word_with_one_slip_shares_a_term_with_the_word_that_was_meant(
    word: str, at: int, edit: str, letter: str
) -> None:
    typed = edited(word, at, edit, letter)
    assume(len(typed) >= 4)
    assert asked(typed) & index_terms([word])


@given(names, names, st.integers(0, 20), edits, st.sampled_from(LETTERS))
def test_two_words_with_one_slip_share_a_term_of_both_words(
    given_name: str, family: str, at: int, edit: str, letter: str
) -> None:
    typed = edited(family, at, edit, letter)
    assume(len(typed) >= 4 and sound(given_name)[:WORD] != sound(family)[:WORD])
    assume(not {given_name, family, typed} & (LEGAL_FORMS | TITLES | PARTICLES))
    assert asked(f"{given_name} {typed}", Reach.TYPED, Reach.MISTYPED) & index_terms([given_name, family])


@given(names, st.integers(2, 14))
def test_typing_finds_a_word_from_its_second_letter_on(word: str, length: int) -> None:
    started = word[:length]
    # Half a digraph sounds otherwise than the whole.
    assume(len(sound(started)) >= 2 and sound(word).startswith(sound(started)))
    assert asked(started) & index_terms([word])


@pytest.mark.parametrize(
    ("query", "customer"),
    [
        ("Anna Müller", ["Anna", "Müller"]),
        ("müller anna", ["Anna", "Müller"]),
        ("Mueller, Anna", ["Anna", "Müller"]),
        ("a müller", ["Anna", "Müller"]),
        ("müller a", ["Anna", "Müller"]),
        ("anna m", ["Anna", "Müller"]),
        ("anna mü", ["Anna", "Müller"]),
        ("mül", ["Anna", "Müller"]),
        ("mü", ["Anna", "Müller"]),
        ("nordwind", ["Nordwind Logistik GmbH"]),
        ("Nordwind Logistik AG", ["Nordwind Logistik GmbH"]),
        ("logistik nordw", ["Nordwind Logistik GmbH"]),
        ("nord wind", ["Nordwind"]),
        ("van den berg", ["Anna", "van den Berg"]),
        ("vandenberg", ["Anna", "van den Berg"]),
        ("anna van", ["Anna", "van den Berg"]),
        ("maria sa", ["Maria", "Sá"]),
        ("sa", ["Maria", "Sá"]),
        ("li", ["Wei", "Li"]),
        ("garcia", ["José Luis", "García Márquez"]),
        ("luis marquez", ["José Luis", "García Márquez"]),
        ("Ромашка", ["ООО Ромашка"]),
        ("ромаш", ["ООО Ромашка"]),
        ("田中", ["田中", "太郎"]),
        ("Anna Alexandra Müller", ["Anna", "Müller"]),
    ],
)
def test_what_people_type_shares_a_term_with_whom_they_mean(query: str, customer: list[str]) -> None:
    assert asked(query) & index_terms(customer)
    assert score(query, *customer) >= FLOOR


@pytest.mark.parametrize("query", ["", " ", "a", ".", "-- !"])
def test_nothing_is_looked_for_before_the_second_letter(query: str) -> None:
    assert plan(query).steps == ()


def test_a_person_of_two_names_is_found_under_about_a_dozen_terms() -> None:
    assert index_terms(["Anna", "Müller"]) == {
        "w:ana", "w:muler", "p:ana", "p:mul", "p:muler",
        "b:ana|mul", "b:muler|ana", "i:ana|mu", "i:muler|an", "f:ana|mul",
    }  # fmt: skip


@given(st.lists(texts, max_size=4))
def test_the_terms_of_a_customer_are_bounded(given_names: list[str]) -> None:
    pairs = MOST_PAIRED * (MOST_PAIRED - 1)
    particles = sum(len(n) for n in given_names)
    assert len(index_terms(given_names)) <= MOST_WORDS * 6 + pairs * 2 + pairs // 2 + particles * 7


@given(texts)
def test_a_plan_asks_for_a_bounded_number_of_terms(query: str) -> None:
    assert all(len(step.terms) <= 3000 for step in plan(query).steps)


def test_steps_go_from_what_was_typed_to_slips_to_fewer_words() -> None:
    reaches = [step.reach for step in plan("Anna Müller").steps]
    assert reaches == sorted(reaches, key=[Reach.TYPED, Reach.MISTYPED, Reach.FEWER].index)
    assert set(reaches) == set(Reach)


def test_a_step_is_worth_asking_while_what_it_looks_for_is_missing() -> None:
    typed, mistyped, fewer = (Step(list, reach) for reach in (Reach.TYPED, Reach.MISTYPED, Reach.FEWER))
    assert typed.worth([1.0] * 9, 10)
    assert not typed.worth([1.0] * 10, 10)
    assert mistyped.worth([GOOD], 10)
    assert not mistyped.worth([FOUND], 10)
    assert fewer.worth([FLOOR], 10)
    assert not fewer.worth([GOOD], 10)


def test_exact_comes_before_begun_before_mistyped() -> None:
    assert order("anna müller", ("Ana", "Muller"), ("Anna", "Müllermann"), ("Anna", "Müller"), ("Anna", "Möller")) == [
        "Anna Müller",
        "Anna Müllermann",
        "Ana Muller",
        "Anna Möller",
    ]


def test_the_order_of_words_does_not_count() -> None:
    assert score("Müller Anna", "Anna", "Müller") == score("Anna Müller", "Anna", "Müller") == 1.0


def test_words_that_nobody_asked_for_count_a_little() -> None:
    assert order("anna müller", ("Anna Maria", "Müller"), ("Anna", "Müller"))[0] == "Anna Müller"
    assert score("anna müller", "Anna Maria", "Müller") >= FOUND


def test_a_legal_form_counts_little() -> None:
    assert score("Nordwind AG", "Nordwind GmbH") >= FOUND
    assert order("nordwind ag", ("Nordwind GmbH",), ("Nordwind AG",))[0] == "Nordwind AG"


def test_words_run_together_are_found() -> None:
    assert score("nord wind", "Nordwind") >= GOOD
    assert score("anna vandenberg", "Anna", "van den Berg") >= FOUND


def test_another_name_is_no_answer() -> None:
    assert order("anna müller", ("Peter", "Schmidt"), ("Otto", "Maier")) == []


def test_a_name_that_answers_only_one_word_is_no_good_answer() -> None:
    assert FLOOR <= score("anna müller", "Otto", "Müller") < GOOD


@given(texts, st.lists(st.lists(texts, min_size=1, max_size=3), max_size=5))
def test_scores_lie_between_the_floor_and_one_and_fall(query: str, candidates: list[list[str]]) -> None:
    scores = [s for _, s in ranked(query, list(enumerate(candidates)))]
    assert all(FLOOR <= s <= 1.0 for s in scores)
    assert scores == sorted(scores, reverse=True)


def test_slips_are_all_words_one_edit_away() -> None:
    found = slips("ab")
    assert {"a", "b", "ba", "aab", "abz", "xb", "ax"} <= found
    assert "ab" not in found
    assert slips("1") == set()


def test_continuations_stay_in_the_alphabet() -> None:
    assert {"mua", "mul", "mus"} <= continued("mu", 1)
    assert "muh" not in continued("mu", 1)
    assert all(w[-1] > "я" or "а" <= w[-1] <= "я" for w in continued("му", 1))
    assert continued("田", 1) == set()
