"""What is told of the changes of records."""

import base64
import importlib
import json
import pkgutil
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import services.customer_info
from chassis.rules import Invalid
from services.customer_info.accounts.store import REQUEST_KIND
from services.customer_info.hierarchy.store import NODE
from services.customer_info.history import kinds, rules
from services.customer_info.history.rules import FieldChange, Version
from tests.unit.services.customer_info.builders import NOON, later
from tests.unit.services.customer_info.strategies import moments

MARK = rules.mark_of("c1", ["customer"])


def version(record_id: str = "a", number: int = 1, time: datetime = NOON) -> Version:
    return Version("customer", record_id, record_id, number, time, "ann", "call", {})


def test_a_change_tells_the_fields_that_differ_by_name() -> None:
    before = {"status": "ACTIVE", "language": "de", "since": "2026", "etag": "v1"}
    after = {"status": "CLOSED", "language": "de", "billing": {"paperless": True}, "etag": "v2"}
    assert rules.changed(before, after) == (
        FieldChange("billing", None, {"paperless": True}),
        FieldChange("since", "2026", None),
        FieldChange("status", "ACTIVE", "CLOSED"),
    )


def test_a_hidden_field_is_told_of_without_its_values() -> None:
    found = rules.changed({"party": "Ada"}, {"party": "Eve", "status": "NEW"}, {"party"})
    assert found == (FieldChange("party", None, None, masked=True), FieldChange("status", None, "NEW"))


contents = st.dictionaries(st.sampled_from(["id", "etag", "a", "b", "c"]), st.integers(0, 2) | st.lists(st.booleans()))


@given(contents, contents)
def test_changes_turn_what_was_into_what_is(before: dict[str, Any], after: dict[str, Any]) -> None:
    content = dict(before)
    for change in rules.changed(before, after):
        assert content.get(change.name) == change.before
        content |= {change.name: change.after}
    kept = {n: v for n, v in content.items() if v is not None and n not in rules.BOOKKEEPING}
    assert kept == {n: v for n, v in after.items() if n not in rules.BOOKKEEPING}
    assert not rules.changed(after, after)


def test_what_differs_without_the_key_is_personal() -> None:
    assert rules.personal({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 0}) == {"b", "c"}
    assert rules.without({"a": 1, "b": 2}, ["b"]) == {"a": 1}


def test_versions_come_latest_first_and_each_once() -> None:
    versions = [version("a", 1), version("b", 1, later()), version("a", 2, later()), version("a", 2, later())]
    assert [v.key for v in rules.latest(versions, 5)] == [
        "b:customer:0000000001",
        "a:customer:0000000002",
        "a:customer:0000000001",
    ]
    assert len(rules.latest(versions, 2)) == 2


@given(moments, st.text(max_size=40))
def test_a_token_leads_back_to_its_place(time: datetime, key: str) -> None:
    assert rules.place_of(rules.token((time, key), MARK), MARK) == (time, key)


def test_the_first_page_has_no_place() -> None:
    assert rules.place_of("", MARK) is None


def coded(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "!!!!",
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        coded(MARK, 1),
        coded(MARK, "1", "k"),
        coded(*(MARK, True, "k")),
        coded(MARK, 1, 2),
        coded(MARK, 10**18, "k"),
        coded("other", 1, "k"),
        base64.urlsafe_b64encode(b"7").decode(),
        rules.token((NOON, "k"), rules.mark_of("c2", ["customer"])),
        rules.token((NOON, "k"), rules.mark_of("c1", ["customer", "product"])),
    ],
)
def test_a_foreign_token_is_refused(token: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.place_of(token, MARK)
    assert refused.value.reason == "INVALID_PAGE_TOKEN"
    assert refused.value.field == "page.page_token"


def test_a_list_is_the_same_in_whatever_order_its_kinds_are_named() -> None:
    assert rules.mark_of("c", ["b", "a"]) == rules.mark_of("c", ["a", "b"])


def test_kinds_that_there_are_not_are_refused_by_their_place() -> None:
    assert rules.asked_kinds([], {"b", "a"}) == ["a", "b"]
    assert rules.asked_kinds(["b"], {"b", "a"}) == ["b"]
    with pytest.raises(Invalid) as refused:
        rules.asked_kinds(["a", "z"], {"b", "a"})
    assert refused.value.field == "kinds[1]"
    assert refused.value.metadata == {"allowed": "a, b"}


def test_every_noun_that_keeps_versions_of_customers_records_is_told_of() -> None:
    found = set()
    for module in pkgutil.walk_packages(services.customer_info.__path__, "services.customer_info."):
        if module.name.endswith(".store"):
            kind = getattr(importlib.import_module(module.name), "KIND", None)
            found |= {kind} if kind else set()
    # A consent never changes; the others are kept by the nouns of accounts and of trees beside their own.
    found |= {kinds.CONSENT, REQUEST_KIND, NODE}
    assert found == kinds.READ.keys() == kinds.KEPT.keys()
    assert len(found) >= 6


def test_versions_of_one_instant_have_an_order() -> None:
    assert version("a", 9).place < version("a", 10).place < version("b", 1).place
    assert version("b", 1).place < version("a", 1, NOON + timedelta(milliseconds=1)).place
