"""What a customer is found under, what is looked for, and how answers are ranked."""

# ruff: noqa: RUF001 - letters of several alphabets are the point

import random
from collections.abc import Sequence

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from services.customer_info.names.forms_rules import LEADING_FORMS, LEGAL_FORMS, PARTICLES, TITLES
from services.customer_info.names.rules import parsed, sound
from services.customer_info.search.ranking_rules import FLOOR, FOUND, GOOD, NEARLY_FOUND
from services.customer_info.search.rules import MOST_PAIRED, MOST_WORDS, WORD, Reach, Step, index_terms, plan, ranked
from services.customer_info.search.spelling_rules import beginnings, continued, slips

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


# Letters that a sound drops, doubles or replaces come more often: they make the odd spellings.
spelled = st.text(LETTERS + "ccqqkkaaeehhuuoo", min_size=2, max_size=14)


@given(spelled, st.integers(2, 14))
@example("qcoippger", 7).via("k written in a way that no name has")
@example("aaaaaaaba", 8).via("a letter doubled until it is all that counts")
def test_typing_finds_a_word_from_its_second_letter_on(word: str, length: int) -> None:
    assert asked(word[:length], Reach.TYPED) & index_terms([word])


@given(names, spelled, st.integers(1, 14))
def test_typing_finds_a_second_word_from_its_first_letter_on(given_name: str, family: str, length: int) -> None:
    started = family[:length]
    assume(not {given_name, family, started} & (LEGAL_FORMS | TITLES | PARTICLES))
    assume(sound(given_name)[:WORD] != sound(family)[:WORD])
    assert asked(f"{given_name} {started}", Reach.TYPED) & index_terms([given_name, family])


@given(st.sampled_from(sorted(LEADING_FORMS | TITLES)), spelled, st.integers(2, 14))
def test_typing_finds_a_word_behind_a_legal_form_or_a_title_from_its_second_letter_on(
    before: str, word: str, length: int
) -> None:
    typed = f"{before} {word[:length]}"
    assume(parsed(typed).core == (word[:length],) and parsed(f"{before} {word}").core == (word,))
    assert asked(typed, Reach.TYPED) & index_terms([f"{before} {word}"])


@given(st.sampled_from(sorted(LEADING_FORMS | TITLES)), names, spelled, st.integers(1, 14))
def test_typing_finds_two_words_behind_a_legal_form_or_a_title_from_the_first_letter_of_the_second_on(
    before: str, one: str, other: str, length: int
) -> None:
    typed = f"{before} {one} {other[:length]}"
    assume(parsed(typed).core == (one, other[:length]) and parsed(f"{before} {one} {other}").core == (one, other))
    assume(sound(one)[:WORD] != sound(other)[:WORD])
    assert asked(typed, Reach.TYPED) & index_terms([f"{before} {one} {other}"])


@pytest.mark.parametrize(
    ("query", "customer"),
    [
        ("AB V", ["AB Volvo"]),
        ("AB Vo", ["AB Volvo"]),
        ("AS Nor", ["AS Norsk Hydro"]),
        ("AB Volvo P", ["AB Volvo Personvagnar"]),
        ("ООО Р", ["ООО Ромашка"]),
        ("van Ber", ["Anna", "van den Berg"]),
        ("AB Vlovo", ["AB Volvo"]),
    ],
)
def test_what_says_only_what_somebody_is_hides_nobody_behind_it(query: str, customer: list[str]) -> None:
    assert asked(query, Reach.TYPED, Reach.MISTYPED) & index_terms(customer)
    assert score(query, *customer) >= FLOOR


def test_half_of_two_names_is_asked_for_before_those_who_share_one_of_them() -> None:
    sandrine, others = index_terms(["Sandrine", "Lemoine"]), index_terms(["Anna", "Lemke"])
    steps = [step.terms for step in plan("san lem").steps]
    assert min(n for n, terms in enumerate(steps) if terms & sandrine) < min(
        n for n, terms in enumerate(steps) if terms & others
    )
    assert order("san lem", ("Anna", "Lemke"), ("Sandrine", "Lemoine"))[0] == "Sandrine Lemoine"


@pytest.mark.parametrize("query", ["Dr N", "Mr K", "UAB L", "ООО Р"])
def test_two_letters_are_enough_wherever_they_stand(query: str) -> None:
    assert plan(query).steps


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
        "n:anna muller", "w:anna", "w:muller", "s:ana", "s:muler", "p:ann", "p:mul", "p:mulle",
        "b:ana|mul", "b:muler|ana", "i:ana|mu", "i:muler|an", "f:ana|mul",
    }  # fmt: skip


def test_a_company_of_many_words_is_found_by_each_of_them() -> None:
    society = (
        "Deutsche Gesellschaft für Internationale Zusammenarbeit, Technische Entwicklung und Ausbildung Brandenburg"
    )
    held = index_terms([f"{society} GmbH"])
    for word in society.replace(",", "").split():
        assert asked(word, Reach.TYPED) & held
        assert asked(word[: max(2, len(word) // 2)], Reach.TYPED) & held


def test_a_word_that_is_written_as_it_sounds_has_one_term_for_both() -> None:
    assert {t for t in index_terms(["Peter"]) if t[0] in "ws"} == {"w:peter"}
    assert {t for t in index_terms(["Pether"]) if t[0] in "ws"} == {"w:pether", "s:peter"}
    assert "w:peter" in asked("Pether")
    assert "s:peter" in asked("Peter")


@given(st.lists(texts, max_size=4))
def test_the_terms_of_a_customer_are_bounded(given_names: list[str]) -> None:
    pairs = MOST_PAIRED * (MOST_PAIRED - 1)
    particles = sum(len(n) for n in given_names)
    assert len(index_terms(given_names)) <= 1 + MOST_WORDS * 7 + pairs * 2 + pairs // 2 + particles * 7


@given(texts)
@example("dr k").via("one letter, of which any word may be the beginning")
def test_a_plan_asks_for_a_bounded_number_of_terms(query: str) -> None:
    # No sound of four letters is written in more ways than `kiki`: 3278 beginnings, two terms for the word itself, and
    # one for the beginning that was typed, where it is none of these.
    assert all(len(step.terms) <= 3281 for step in plan(query).steps)


def test_steps_go_from_what_was_typed_to_slips_to_fewer_words() -> None:
    reaches = [step.reach for step in plan("Anna Maria Müller").steps]
    assert reaches == sorted(reaches, key=list(Reach).index)
    assert set(reaches) == set(Reach)


def test_a_step_is_worth_asking_while_what_it_looks_for_is_missing() -> None:
    typed, mistyped, fewer = (Step(list, reach) for reach in (Reach.TYPED, Reach.MISTYPED, Reach.FEWER))
    assert typed.worth([1.0] * 9, 10, crowded=False)
    assert not typed.worth([1.0] * 10, 10, crowded=True)
    assert mistyped.worth([GOOD], 10, crowded=False)
    assert not mistyped.worth([NEARLY_FOUND], 10, crowded=True)
    assert fewer.worth([FLOOR], 10, crowded=False)
    assert not fewer.worth([GOOD], 10, crowded=True)


def test_near_answers_do_not_end_the_search_for_what_was_typed() -> None:
    assert Step(list, Reach.TYPED).worth([FOUND - 0.01] * 200, 10, crowded=True)


def test_a_crowd_is_narrowed_while_answers_are_missing() -> None:
    narrowing, others = Step(list, Reach.CROWDED), Step(list, Reach.OTHERS)
    assert narrowing.worth([FOUND] * 9, 10, crowded=True)
    assert not narrowing.worth([FOUND] * 9, 10, crowded=False)
    assert not narrowing.worth([FOUND] * 10, 10, crowded=True)
    assert others.worth([GOOD], 10, crowded=True)
    assert not others.worth([GOOD], 10, crowded=False)


@pytest.mark.parametrize(
    ("query", "one", "crowd"),
    [
        ("Meyer", ["Ada", "Meyer"], ["Ada", "Meier"]),
        ("Mey", ["Ada", "Meyer"], ["Ada", "Meier"]),
        ("Meye", ["Ada", "Meyer"], ["Ada", "Meier"]),
        ("Rodrigues", ["Ada", "Rodrigues"], ["Ada", "Rodriguez"]),
        ("Anna Meyer", ["Anna", "Meyer"], ["Anna", "Meier"]),
        ("Annabe Schneider", ["Annabel", "Schneider"], ["Anna", "Schneider"]),
        ("Becker Bau GmbH", ["Becker Bau GmbH"], ["Becker Bau 12 GmbH"]),
        ("Becker Bau Gmb", ["Becker Bau GmbH"], ["Becker Bau 12 GmbH"]),
        ("Becker", ["Becker AG"], ["Becker Bau AG"]),
    ],
)
def test_a_step_asks_for_who_is_meant_without_those_who_are_nearly_called_so(
    query: str, one: list[str], crowd: list[str]
) -> None:
    held, others = index_terms(one), index_terms(crowd)
    assert any(step.terms & held and not step.terms & others for step in plan(query).steps)
    assert order(query, crowd, one)[0] == " ".join(one)


def test_half_a_name_among_namesakes_is_asked_for_as_it_is_written() -> None:
    held, others = index_terms(["Anna", "Meyer"]), index_terms(["Anna", "Meier"])
    narrowing = next(step for step in plan("Anna Mey").steps if step.reach is Reach.CROWDED)
    assert narrowing.terms & held
    assert all(some & held for some in narrowing.within)
    assert not all(some & others for some in narrowing.within)


def test_exact_comes_before_begun_before_mistyped() -> None:
    assert order("anna müller", ("Ana", "Muller"), ("Anna", "Müllermann"), ("Anna", "Müller"), ("Anna", "Möller")) == [
        "Anna Müller",
        "Anna Müllermann",
        "Ana Muller",
        "Anna Möller",
    ]


def test_half_a_word_is_heard_as_well_as_read() -> None:
    assert order("mey", ("Ada", "Meier"), ("Ada", "Meyer"), ("Ada", "Meister")) == [
        "Ada Meyer",
        "Ada Meier",
        "Ada Meister",
    ]
    assert GOOD <= score("mey", "Ada", "Meier") < FOUND <= score("mey", "Ada", "Meyer")


def test_one_word_as_typed_does_not_make_up_for_another_that_is_not() -> None:
    assert GOOD <= score("paula tey", "Paula", "Teiler") < FOUND
    assert GOOD <= score("nordwind logistyk", "Nordwind Logistik") < FOUND


@pytest.mark.parametrize("family", ["Müllermannsdorf", "Ax"])
def test_whatever_nobody_asked_for_what_is_typed_scores_as_found(family: str) -> None:
    assert score(family[:2], "Wolfgang-Maximilian Alexander", family) >= FOUND
    assert score(family, "Wolfgang-Maximilian Alexander", family) > score(family[:-1], family)


several = st.lists(names, min_size=1, max_size=5, unique=True)


@given(several, st.randoms(use_true_random=False), st.integers(1, 5), st.integers(2, 14))
def test_a_name_of_which_every_word_typed_stands_there_scores_as_found(
    who: list[str], chance: random.Random, count: int, length: int
) -> None:
    assume(set(who).isdisjoint(LEGAL_FORMS | TITLES | PARTICLES))
    typed = chance.sample(who, min(count, len(who)))
    assert (score(" ".join(typed), *who) == 1.0) == (len(typed) == len(who))
    typed[-1] = typed[-1][:length]
    assume(parsed(" ".join(typed)).core == tuple(typed))
    assert score(" ".join(typed), *who) >= FOUND


@given(several, several, st.integers(0, 20), edits, st.sampled_from(LETTERS))
def test_only_who_is_called_as_typed_or_begins_so_scores_as_found(
    who: list[str], others: list[str], at: int, edit: str, letter: str
) -> None:
    typed = [*who[1:], *others[1:], edited(who[0], at, edit, letter)]
    assume(parsed(" ".join(typed)).core == tuple(typed))
    stands = all(w in who for w in typed[:-1]) and any(w.startswith(typed[-1]) for w in who)
    assert stands or score(" ".join(typed), *who) < FOUND


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


@given(names, st.integers(2, 5), st.sampled_from([3, 5]))
def test_a_sound_is_written_as_itself_at_least(word: str, letters: int, length: int) -> None:
    heard = sound(word)[: min(letters, length)]
    assert all(len(begun) == length for begun in beginnings(heard, length))
    assert any(begun.startswith(heard) for begun in beginnings(heard, length))


@pytest.mark.parametrize("name", ["Mueller", "Muller", "Muhler", "Muehler"])
def test_the_beginnings_of_a_sound_are_those_of_all_its_spellings(name: str) -> None:
    assert name.lower()[:5] in beginnings(sound("müller".replace("ü", "u")), 5)


def test_a_sound_without_an_alphabet_has_no_other_spellings() -> None:
    assert beginnings("田", 3) == set()


def test_continuations_stay_in_the_alphabet() -> None:
    assert {"mua", "mul", "mus"} <= continued("mu", 1)
    assert "muh" not in continued("mu", 1)
    assert all(w[-1] > "я" or "а" <= w[-1] <= "я" for w in continued("му", 1))
    assert continued("田", 1) == set()
