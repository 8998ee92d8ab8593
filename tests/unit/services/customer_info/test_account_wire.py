"""Accounts and requests between protobuf and the rules."""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from holdfast.common.v1 import policy_pb2
from holdfast.customer_info.v1 import accounts_pb2 as pb

from chassis.rules import Invalid
from services.customer_info.accounts import wire
from services.customer_info.accounts.request_rules import RequestKind
from services.customer_info.accounts.rules import Content, Kind, Role
from tests.unit.services.customer_info.account_builders import billing_account, cost_centre, request_about
from tests.unit.services.customer_info.builders import new_uuid


def test_an_account_goes_out_whole() -> None:
    kept = cost_centre(billing_account(), content={"currency": "EUR", "node_id": new_uuid(), "owner": "otto"})
    sent = wire.message(kept)
    assert (sent.id, sent.etag, sent.kind) == (kept.id, "v1", pb.ACCOUNT_KIND_COST_CENTRE)
    assert wire.content(sent.content) == kept.content
    assert sent.content.owner_role == policy_pb2.ROLE_CUSTOMER


def test_a_request_goes_out_with_its_trail() -> None:
    there = billing_account(version=3)
    kept = request_about(there, kind=RequestKind.CHANGE, wanted=Content("x"), names=frozenset({"name"}))
    sent = wire.request_message(kept)
    assert (sent.account_etag, list(sent.update_mask.paths)) == ("v3", ["name"])
    assert [(s.status, s.by) for s in sent.trail] == [(pb.ACCOUNT_REQUEST_STATUS_ASKED, "ann")]
    assert sent.reason == "moved away"
    assert not wire.request_message(request_about(there)).HasField("wanted")


def test_each_kind_of_wish_is_read() -> None:
    customer_id, account_id = new_uuid(), new_uuid()
    set_up = wire.wish(
        pb.RequestAccountRequest(
            customer_id=customer_id,
            set_up=pb.AccountSetUp(kind=pb.ACCOUNT_KIND_COST_CENTRE, content=pb.AccountContent(name="Sales")),
            reason="new",
        )
    )
    assert (set_up.kind, set_up.account_kind, set_up.reason) == (RequestKind.SET_UP, Kind.COST_CENTRE, "new")
    assert set_up.wanted == Content("Sales", owner_role=Role.SUPERVISOR)
    change = wire.wish(
        pb.RequestAccountRequest(
            customer_id=customer_id,
            change=pb.AccountRevision(account_id=account_id, etag="v2", content=pb.AccountContent(name="x", owner="o")),
        )
    )
    assert (change.account_id, change.etag, change.names) == (account_id, "v2", frozenset({"name", "owner"}))
    close = wire.wish(
        pb.RequestAccountRequest(customer_id=customer_id, close=pb.AccountClosure(account_id=account_id, etag="v2"))
    )
    assert (close.kind, close.account_id, close.etag, close.wanted) == (RequestKind.CLOSE, account_id, "v2", None)


def test_a_mask_may_empty_a_field_but_not_change_what_is_for_life() -> None:
    content = pb.AccountContent(name="x")
    assert wire.names(FieldMask(paths=["node_id"]), content) == {"node_id"}
    for mask, message in (
        (FieldMask(paths=["currency_code"]), content),
        (FieldMask(), pb.AccountContent(currency_code="USD")),
    ):
        with pytest.raises(Invalid) as refused:
            wire.names(mask, message)
        assert (refused.value.reason, refused.value.field) == ("INVALID_UPDATE_MASK", "change.update_mask")


def test_events_tell_neither_names_nor_numbers() -> None:
    kept = billing_account()
    assert "Head office" not in str(wire.facts(kept))
    assert kept.content.number not in str(wire.facts(kept))
    assert "moved away" not in str(wire.request_facts(request_about(kept)))
