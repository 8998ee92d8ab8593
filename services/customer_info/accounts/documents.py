"""Accounts and requests as documents: names, numbers and notes sealed in one field, numbers found by blind tokens."""

from collections.abc import Mapping
from typing import Any

from chassis.vault.blind import Blind
from chassis.vault.sealing import DataKey
from services.customer_info.accounts.request_rules import Request, RequestKind, RequestStatus, Step
from services.customer_info.accounts.rules import Account, Content, Kind, Role, Status
from services.customer_info.identifier_rules import ACCOUNT
from services.customer_info.store import trail

Document = dict[str, Any]
# Of the content: what people write. The rest are ids, codes and roles, which lists ask by.
PERSONAL = ("name", "number")


def account_document(account: Account, key: DataKey, blind: Blind) -> Document:
    """An account as it is kept; `key` is its customer's."""
    content = account.content
    document: Document = {
        "_id": account.id,
        "customer_id": account.customer_id,
        "kind": account.kind.value,
        **_plain(content),
        "status": account.status.value,
        "version": account.version,
        "create_time": account.create_time,
        "update_time": account.update_time,
        "sealed": key.seal(f"accounts:{account.id}", {"name": content.name, "number": content.number}),
        "lookup": [blind.token(ACCOUNT, content.number)],
        "identifier_keys": [number_key(blind, account.customer_id, account.kind, content.number)],
        **trail(),
    }
    return document


def number_key(blind: Blind, customer_id: str, kind: Kind, number: str) -> bytes:
    """What only one account has: a number, among those of its kind, within its customer."""
    return blind.token("account_number", customer_id, kind.value, number)


def account(document: Mapping[str, Any], key: DataKey | None) -> Account:
    """An account from what is kept; without the key, without name and number."""
    return Account(
        id=document["_id"],
        customer_id=document["customer_id"],
        kind=Kind(document["kind"]),
        content=_content(document, _opened(document, f"accounts:{document['_id']}", key)),
        create_time=document["create_time"],
        update_time=document["update_time"],
        status=Status(document["status"]),
        version=document["version"],
    )


def request_document(request: Request, key: DataKey) -> Document:
    """A request as it is kept; `key` is its customer's."""
    personal: Document = {"reason": request.reason, "notes": [s.note for s in request.trail]}
    document: Document = {
        "_id": request.id,
        "customer_id": request.customer_id,
        "account_id": request.account_id,
        "kind": request.kind.value,
        "account_kind": request.account_kind.value,
        "names": sorted(request.names),
        "account_version": request.account_version,
        "approver_role": request.approver_role.value,
        "approver": request.approver,
        "status": request.status.value,
        "steps": [{"status": s.status.value, "by": s.by, "time": s.time} for s in request.trail],
        "ask_time": request.ask_time,
        "version": request.version,
        "update_time": request.update_time,
        **trail(),
    }
    if request.wanted is not None:
        document["wanted"] = _plain(request.wanted)
        personal |= {name: getattr(request.wanted, name) for name in PERSONAL}
    return {**document, "sealed": key.seal(f"account_requests:{request.id}", personal)}


def request(document: Mapping[str, Any], key: DataKey | None) -> Request:
    """A request from what is kept; without the key, without what anybody wrote."""
    personal = _opened(document, f"account_requests:{document['_id']}", key)
    steps, wanted = document["steps"], document.get("wanted")
    notes = personal.get("notes", [""] * len(steps))
    return Request(
        id=document["_id"],
        customer_id=document["customer_id"],
        account_id=document["account_id"],
        kind=RequestKind(document["kind"]),
        account_kind=Kind(document["account_kind"]),
        wanted=None if wanted is None else _content(wanted, personal),
        names=frozenset(document["names"]),
        account_version=document["account_version"],
        reason=personal.get("reason", ""),
        approver_role=Role(document["approver_role"]),
        approver=document["approver"],
        trail=tuple(
            Step(RequestStatus(s["status"]), s["by"], s["time"], note) for s, note in zip(steps, notes, strict=True)
        ),
        version=document["version"],
    )


def _plain(content: Content) -> Document:
    plain: Document = {"currency": content.currency, "owner_role": content.owner_role.value, "owner": content.owner}
    for name in ("parent_id", "node_id"):
        if value := getattr(content, name):
            plain[name] = value
    return plain


def _content(plain: Mapping[str, Any], personal: Mapping[str, Any]) -> Content:
    return Content(
        **{name: personal.get(name, "") for name in PERSONAL},
        currency=plain["currency"],
        parent_id=plain.get("parent_id", ""),
        node_id=plain.get("node_id", ""),
        owner_role=Role(plain["owner_role"]),
        owner=plain["owner"],
    )


def _opened(document: Mapping[str, Any], context: str, key: DataKey | None) -> Document:
    sealed = document.get("sealed")
    return key.open(context, sealed) if key is not None and sealed is not None else {}
