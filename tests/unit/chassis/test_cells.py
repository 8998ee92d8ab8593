"""Cells of CSV files: nothing in them is a formula, and everything comes back as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.cells import guarded, joined, joined_pairs, parted, parted_pairs, unguarded

TEXTS = st.text(st.sampled_from("a;:=\\'+-@\t\r\n[]/ 1"), max_size=12)


@given(TEXTS)
def test_a_guarded_text_is_no_formula_and_comes_back(text: str) -> None:
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unguarded(guarded(text)) == text


def test_a_number_is_kept_from_being_counted_with_and_a_name_keeps_its_apostrophe() -> None:
    assert guarded("+4930123456") == "'+4930123456"
    assert guarded("'t Hooft") == "''t Hooft"
    assert unguarded("'t Hooft") == "'t Hooft"


@given(st.lists(TEXTS, max_size=5))
def test_values_in_one_cell_come_back_in_their_order(values: list[str]) -> None:
    # One empty value alone is as good as none.
    assert parted(joined(values)) == ([] if values == [""] else values)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5), st.sampled_from(":="))
def test_pairs_in_one_cell_come_back_in_their_order(pairs: list[tuple[str, str]], sign: str) -> None:
    assert parted_pairs(joined_pairs(pairs, sign), sign) == pairs


def test_what_a_person_writes_is_read_without_escapes() -> None:
    assert parted_pairs("mac:00:1b:44;path:C:\\temp", ":") == [("mac", "00:1b:44"), ("path", "C:\\temp")]
    assert parted("a@example.com;b@example.com") == ["a@example.com", "b@example.com"]


def test_a_part_that_is_no_pair_is_refused_without_repeating_it() -> None:
    with pytest.raises(ValueError, match="must be pairs") as refused:
        parted_pairs("billing:1;secret", ":")
    assert "secret" not in str(refused.value)
