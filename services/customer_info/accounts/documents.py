"""Accounts and requests as documents: what names somebody or something is sealed, numbers are found by blind tokens."""

from collections.abc import Mapping
from typing import Any

from chassis.vault.blind import Blind
from chassis.vault.sealing import DataKey
from services.customer_info.accounts.request_rules import Request, RequestKind, RequestStatus, Step
from services.customer_info.accounts.rules import Account, Content, Kind, Role, Status
from services.customer_info.identifier_rules import account_key
from services.customer_info.store import trail

Document = dict[str, Any]
# Of the content: what people write, and who somebody is. The rest are ids, codes and roles, which lists ask by.
PERSONAL = ("name", "number", "owner")


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
        "sealed": key.seal(f"accounts:{account.id}", _personal(content)),
        "lookup": [blind.token(*account_key(content.number))],
        "identifier_keys": [number_key(blind, account.customer_id, account.kind, content.number)],
        **trail(),
    }
    return document


def number_key(blind: Blind, customer_id: str, kind: Kind, number: str) -> bytes:
    """What only one account has: a number, however it is written, among those of its kind, within its customer."""
    return blind.token("account_number", customer_id, kind.value, account_key(number)[1])


def account(document: Mapping[str, Any], key: DataKey | None) -> Account:
    """An account from what is kept; without the key, without name, number and owner."""
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


def request_document(request: Request, key: DataKey | None) -> Document:
    """A request as it is kept; `key` is its customer's. Without one, nothing is kept that anybody wrote or was."""
    personal: Document = {
        "reason": request.reason,
        "approver": request.approver,
        "by": [s.by for s in request.trail],
        "notes": [s.note for s in request.trail],
    }
    document: Document = {
        "_id": request.id,
        "customer_id": request.customer_id,
        "account_id": request.account_id,
        "kind": request.kind.value,
        "account_kind": request.account_kind.value,
        "names": sorted(request.names),
        "account_version": request.account_version,
        "approver_role": request.approver_role.value,
        "status": request.status.value,
        "steps": [{"status": s.status.value, "time": s.time} for s in request.trail],
        "ask_time": request.ask_time,
        "version": request.version,
        "update_time": request.update_time,
        **trail(),
    }
    if request.wanted is not None:
        document["wanted"] = _plain(request.wanted)
        personal |= _personal(request.wanted)
    return document if key is None else {**document, "sealed": key.seal(f"account_requests:{request.id}", personal)}


def request(document: Mapping[str, Any], key: DataKey | None) -> Request:
    """A request from what is kept; without the key, without what anybody wrote or was."""
    personal = _opened(document, f"account_requests:{document['_id']}", key)
    steps, wanted = document["steps"], document.get("wanted")
    nothing = [""] * len(steps)
    told = zip(steps, personal.get("by", nothing), personal.get("notes", nothing), strict=True)
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
        approver=personal.get("approver", ""),
        trail=tuple(Step(RequestStatus(s["status"]), by, s["time"], note) for s, by, note in told),
        version=document["version"],
    )


def _plain(content: Content) -> Document:
    plain: Document = {"currency": content.currency, "owner_role": content.owner_role.value}
    for name in ("parent_id", "node_id"):
        if value := getattr(content, name):
            plain[name] = value
    return plain


def _personal(content: Content) -> Document:
    return {name: getattr(content, name) for name in PERSONAL}


def _content(plain: Mapping[str, Any], personal: Mapping[str, Any]) -> Content:
    return Content(
        **{name: personal.get(name, "") for name in PERSONAL},
        currency=plain["currency"],
        parent_id=plain.get("parent_id", ""),
        node_id=plain.get("node_id", ""),
        owner_role=Role(plain["owner_role"]),
    )


def _opened(document: Mapping[str, Any], context: str, key: DataKey | None) -> Document:
    sealed = document.get("sealed")
    return key.open(context, sealed) if key is not None and sealed is not None else {}
