"""Accounts, and requests about them, to try things on."""

from dataclasses import replace
from typing import Any

from services.customer_info.accounts.request_rules import Actor, Request, RequestKind, RequestStatus, Step, Wish
from services.customer_info.accounts.rules import Account, Content, Kind, Role
from tests.unit.services.customer_info.builders import NOON, new_uuid

AGENT = Actor("ann", frozenset({"agent"}))
SUPERVISOR = Actor("sue", frozenset({"agent", "supervisor"}))
ADMIN = Actor("adam", frozenset({"admin"}))


def billing_account(customer_id: str = "", **changes: Any) -> Account:
    """A billing account as the record keeps one; `content` has changes of its own."""
    content = {"name": "Head office", "number": "B-1000", "currency": "EUR", **changes.pop("content", {})}
    usual: dict[str, Any] = {
        "id": new_uuid(),
        "customer_id": customer_id or new_uuid(),
        "kind": Kind.BILLING_ACCOUNT,
        "content": Content(**content),
        "create_time": NOON,
        "update_time": NOON,
    }
    return Account(**{**usual, **changes})


def cost_centre(parent: Account, **changes: Any) -> Account:
    """A cost centre that bills to `parent`; the customer's own people decide about it."""
    content = {
        "name": "Sales",
        "number": "C-1",
        "parent_id": parent.id,
        "owner_role": Role.CUSTOMER,
        **changes.pop("content", {}),
    }
    return billing_account(parent.customer_id, kind=Kind.COST_CENTRE, content=content, **changes)


def set_up_wish(customer_id: str, content: Content, kind: Kind = Kind.BILLING_ACCOUNT, **changes: Any) -> Wish:
    """A wish for a new account."""
    return Wish(customer_id, RequestKind.SET_UP, account_kind=kind, wanted=content, **changes)


def change_wish(account: Account, **values: Any) -> Wish:
    """A wish that these fields of the account's content have these values."""
    return Wish(
        account.customer_id,
        RequestKind.CHANGE,
        account_id=account.id,
        wanted=replace(Content(), **values),
        names=frozenset(values),
    )


def close_wish(account: Account) -> Wish:
    """A wish for the end of an account."""
    return Wish(account.customer_id, RequestKind.CLOSE, account_id=account.id)


def request_about(account: Account, **changes: Any) -> Request:
    """A request to close an account, as the record keeps one."""
    usual: dict[str, Any] = {
        "id": new_uuid(),
        "customer_id": account.customer_id,
        "account_id": account.id,
        "kind": RequestKind.CLOSE,
        "account_kind": account.kind,
        "wanted": None,
        "names": frozenset(),
        "account_version": account.version,
        "reason": "moved away",
        "approver_role": account.content.owner_role,
        "approver": account.content.owner,
        "trail": (Step(RequestStatus.ASKED, AGENT.subject, NOON),),
    }
    return Request(**{**usual, **changes})
