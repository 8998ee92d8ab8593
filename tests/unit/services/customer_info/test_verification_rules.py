"""What answers show, and what makes them count."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Invalid, Refused
from services.customer_info.verification import rules
from services.customer_info.verification.rules import Answer, Challenge, FactorKind, Level, Passed, Verification
from tests.unit.services.customer_info.builders import NOON, later

PIN, PASSWORD = Challenge(FactorKind.PIN), Challenge(FactorKind.PASSWORD)
CODE, BIRTH = Challenge(FactorKind.ONE_TIME_CODE), Challenge(FactorKind.DATE_OF_BIRTH)
BILL, PET = Challenge(FactorKind.KNOWLEDGE, "last_bill"), Challenge(FactorKind.SECRET_ANSWER, "first_pet")
challenges = st.sampled_from([PIN, PASSWORD, CODE, BIRTH, BILL, PET, Challenge(FactorKind.KNOWLEDGE, "tariff")])
passes = st.lists(st.tuples(challenges, st.integers(1, 60)), max_size=6, unique_by=lambda p: p[0])


def known(*passed: tuple[Challenge, int], claimed: int = 60) -> Verification:
    return Verification("c", "k", later(claimed), tuple(Passed(c, later(m)) for c, m in passed))


@pytest.mark.parametrize(
    ("passed", "level"),
    [
        ((), Level.CLAIMED),
        ((BIRTH,), Level.CLAIMED),
        ((BILL,), Level.CLAIMED),
        ((BIRTH, BILL), Level.VERIFIED),
        ((BILL, Challenge(FactorKind.KNOWLEDGE, "tariff")), Level.VERIFIED),
        ((PIN,), Level.VERIFIED),
        ((PET,), Level.VERIFIED),
        ((CODE,), Level.VERIFIED),
        ((PIN, PASSWORD, PET, BIRTH, BILL), Level.VERIFIED),
        ((CODE, BIRTH, BILL), Level.VERIFIED),
        ((PIN, CODE), Level.STRONG),
        ((PET, CODE), Level.STRONG),
    ],
)
def test_a_level_rests_on_different_elements(passed: tuple[Challenge, ...], level: Level) -> None:
    assert rules.level_of(passed) is level


def test_the_same_challenge_twice_is_one() -> None:
    assert rules.level_of((BIRTH, BIRTH)) is Level.CLAIMED


def test_every_kind_of_factor_rests_on_an_element() -> None:
    assert set(rules.ELEMENTS) == set(FactorKind)


@given(st.sets(challenges), challenges)
def test_one_more_challenge_passed_never_lowers_the_level(passed: set[Challenge], more: Challenge) -> None:
    assert rules.level_of(passed | {more}) >= rules.level_of(passed)


def test_nothing_is_known_before_the_first_try_and_after_the_claim_is_over() -> None:
    assert rules.standing(None, NOON).level is Level.NONE
    assert rules.standing(known(claimed=5), later(5)) == rules.Standing()
    assert rules.standing(known(claimed=5), later(4)) == rules.Standing(Level.CLAIMED, later(5))


def test_a_level_falls_step_by_step_as_its_parts_expire() -> None:
    verification = known((PIN, 20), (CODE, 10))
    assert rules.standing(verification, later(9)).level is Level.STRONG
    assert rules.standing(verification, later(9)).expire_time == later(10)
    assert rules.standing(verification, later(10)).level is Level.VERIFIED
    assert rules.standing(verification, later(10)).expire_time == later(20)
    assert rules.standing(verification, later(10)).kinds == (FactorKind.PIN,)
    assert rules.standing(verification, later(20)) == rules.Standing(Level.CLAIMED, later(60))


@given(passes, st.integers(0, 61))
def test_a_level_lasts_until_the_time_it_names_and_no_longer(passed: list[tuple[Challenge, int]], minute: int) -> None:
    verification = known(*passed)
    now = rules.standing(verification, later(minute))
    if now.expire_time is None:
        assert now.level is Level.NONE
        return
    tick = timedelta(milliseconds=1)
    assert rules.standing(verification, now.expire_time - tick).level is now.level
    assert rules.standing(verification, now.expire_time).level < now.level


@given(passes)
def test_levels_only_fall_with_time(passed: list[tuple[Challenge, int]]) -> None:
    levels = [rules.standing(known(*passed), later(m)).level for m in range(62)]
    assert levels == sorted(levels, reverse=True)


def test_what_is_passed_again_counts_anew_and_the_rest_stays() -> None:
    after = rules.passed(known((PIN, 5), (BIRTH, 5), claimed=5), (PIN,), later(20))
    assert after == known((PIN, 20), (BIRTH, 5), claimed=20)


def test_what_was_passed_under_ids_of_one_customer_adds_up() -> None:
    found = [known((PIN, 20), claimed=20), known((CODE, 10), (BIRTH, 3), claimed=10)]
    joined = rules.joined("c", "k", found, later(3))
    assert rules.standing(joined, later(3)).level is Level.STRONG
    assert [p.challenge for p in joined.passed] == [PIN, CODE]
    assert joined.claim_expires == later(20)


@given(passes, passes)
def test_adding_up_does_not_depend_on_the_order_of_ids(
    one: list[tuple[Challenge, int]], other: list[tuple[Challenge, int]]
) -> None:
    both = [
        rules.standing(rules.joined("c", "k", order, NOON), NOON)
        for order in ((known(*one), known(*other)), (known(*other), known(*one)))
    ]
    assert both[0].level is both[1].level
    assert both[0] == both[1], "of a challenge passed under either id, what lasts longer counts"


def test_what_is_passed_is_its_owners_and_that_somebody_called_is_the_customers_who_was_named() -> None:
    gained = rules.gained("c", "k", {PIN: "other", BIRTH: "c", PET: "other"}, later(15))
    assert sorted(gained, key=lambda v: v.customer_id) == [
        Verification("c", "k", later(15), (Passed(BIRTH, later(15)),)),
        Verification("other", "k", later(15), (Passed(PIN, later(15)), Passed(PET, later(15)))),
    ]
    assert rules.gained("c", "k", {}, later(15)) == [Verification("c", "k", later(15))]
    assert rules.gained("c", "k", {PIN: "other"}, later(15))[0] == Verification("c", "k", later(15))


def test_facts_do_not_clear_failures_since_others_know_them() -> None:
    assert not rules.clears((BIRTH, BILL))
    assert rules.clears((BIRTH, PIN))
    assert rules.clears((CODE,))


def test_one_challenge_is_answered_once() -> None:
    rules.check_answers([Answer(BILL, "1"), Answer(PIN, "2")])
    with pytest.raises(Invalid) as refused:
        rules.check_answers([Answer(PIN, "1"), Answer(BILL, "1"), Answer(PIN, "2")])
    assert refused.value.field == "answers[2]"


def test_a_label_says_which_question_and_belongs_to_questions_only() -> None:
    for fine in (PIN, BILL, PET):
        rules.check_challenge(fine)
    for wrong in (Challenge(FactorKind.PIN, "a"), Challenge(FactorKind.KNOWLEDGE), Challenge(FactorKind.SECRET_ANSWER)):
        with pytest.raises(Invalid) as refused:
            rules.check_challenge(wrong)
        assert refused.value.field == "label"


@pytest.mark.parametrize("level", Level)
def test_an_agent_sets_factors_of_a_verified_customer_only(level: Level) -> None:
    if level >= Level.VERIFIED:
        rules.check_setter(level)
        return
    with pytest.raises(Refused) as refused:
        rules.check_setter(level)
    assert refused.value.metadata == {"state": level.name.lower()}


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        (FactorKind.PIN, " 27 18 ", "2718"),
        (FactorKind.PIN, "\uff12\uff17\uff11\uff18", "2718"),
        (FactorKind.PASSWORD, "Correct  horse", "Correct  horse"),
        (FactorKind.SECRET_ANSWER, "  Straße \t 5", "strasse 5"),
        (FactorKind.KNOWLEDGE, "EUR  29.85", "eur 29.85"),
        (FactorKind.DATE_OF_BIRTH, "1985-03-09", "1985-03-09"),
    ],
)
def test_answers_are_kept_in_the_form_they_are_compared_in(kind: FactorKind, value: str, kept: str) -> None:
    assert rules.settable(kind, value) == kept
    assert rules.normalised(kind, value) == kept


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (FactorKind.PIN, "123"),
        (FactorKind.PIN, "12a4"),
        (FactorKind.PIN, "٣٣٤٥"),
        (FactorKind.PIN, "0000"),
        (FactorKind.PIN, "1234"),
        (FactorKind.PIN, "7890"),
        (FactorKind.PIN, "4321"),
        (FactorKind.PIN, "1" * 13),
        (FactorKind.PASSWORD, "short"),
        (FactorKind.PASSWORD, "x" * 129),
        (FactorKind.SECRET_ANSWER, " \t "),
        (FactorKind.DATE_OF_BIRTH, "9.3.1985"),
        (FactorKind.DATE_OF_BIRTH, "1985-02-30"),
        (FactorKind.DATE_OF_BIRTH, "19850309"),
        (FactorKind.ONE_TIME_CODE, "123456"),
    ],
)
def test_what_has_not_the_form_of_its_kind_is_no_factor(kind: FactorKind, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.settable(kind, value)
    assert value.strip() not in refused.value.message or not value.strip()


@given(st.sampled_from(FactorKind), st.text(max_size=40))
def test_normalising_twice_changes_nothing_more(kind: FactorKind, value: str) -> None:
    once = rules.normalised(kind, value)
    assert rules.normalised(kind, once) == once


def test_answers_and_hashes_are_not_shown() -> None:
    factor = rules.Factor("c", PIN, "the-hash", NOON)
    code = rules.Code("c", "k", "the-hash", NOON)
    assert "the-hash" not in f"{factor!r}{code!r}"
    assert "2718" not in repr(Answer(PIN, "2718"))
