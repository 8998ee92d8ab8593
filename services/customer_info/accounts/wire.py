"""Accounts and requests between protobuf and the rules' dataclasses: part of the handlers' door."""

from google.protobuf.field_mask_pb2 import FieldMask
from holdfast.common.v1 import policy_pb2
from holdfast.customer_info.v1 import accounts_pb2 as pb

from chassis.etag import etag
from services.customer_info.accounts.request_rules import Request, RequestKind, RequestStatus, Wish
from services.customer_info.accounts.rules import CHANGEABLE, Account, Content, Kind, Role, Status
from services.customer_info.wire import masked, stamp

KINDS = {k: pb.AccountKind.Value(f"ACCOUNT_KIND_{k.name}") for k in Kind}
STATUSES = {s: pb.AccountStatus.Value(f"ACCOUNT_STATUS_{s.name}") for s in Status}
ROLES = {r: policy_pb2.Role.Value(f"ROLE_{r.name}") for r in Role}
REQUEST_KINDS = {k: pb.AccountRequestKind.Value(f"ACCOUNT_REQUEST_KIND_{k.name}") for k in RequestKind}
REQUEST_STATUSES = {s: pb.AccountRequestStatus.Value(f"ACCOUNT_REQUEST_STATUS_{s.name}") for s in RequestStatus}
_KIND = {number: kind for kind, number in KINDS.items()}
_ROLE = {number: role for role, number in ROLES.items()}


def wish(message: pb.RequestAccountRequest) -> Wish:
    """What a validated message asks for.

    Raises:
        Invalid: its mask names a field that cannot be changed.
    """
    which = message.WhichOneof("wish")
    if which == "set_up":
        return Wish(
            message.customer_id,
            RequestKind.SET_UP,
            account_kind=_KIND[message.set_up.kind],
            wanted=content(message.set_up.content),
            reason=message.reason,
        )
    if which == "change":
        change = message.change
        return Wish(
            message.customer_id,
            RequestKind.CHANGE,
            account_id=change.account_id,
            etag=change.etag,
            wanted=content(change.content),
            names=names(change.update_mask, change.content),
            reason=message.reason,
        )
    close = message.close
    return Wish(
        message.customer_id, RequestKind.CLOSE, account_id=close.account_id, etag=close.etag, reason=message.reason
    )


def content(message: pb.AccountContent) -> Content:
    """What a message says of an account; a supervisor decides about it where no role is named."""
    return Content(
        name=message.name,
        number=message.number,
        currency=message.currency_code,
        parent_id=message.parent_id,
        node_id=message.node_id,
        owner_role=_ROLE.get(message.owner_role, Role.SUPERVISOR),
        owner=message.owner,
    )


def names(mask: FieldMask, message: pb.AccountContent) -> frozenset[str]:
    """The fields that a change is about: those of the mask or, without one, those that are set.

    Raises:
        Invalid: one of them cannot be changed, or there is none.
    """
    wanted = mask if mask.paths else FieldMask(paths=[f.name for f, _ in message.ListFields()])
    return frozenset(masked(wanted, message, CHANGEABLE, "change.update_mask"))


def message(kept: Account) -> pb.Account:
    """An account as it goes to a caller."""
    return pb.Account(
        id=kept.id,
        etag=etag(kept.version),
        customer_id=kept.customer_id,
        kind=KINDS[kept.kind],
        content=content_message(kept.content),
        status=STATUSES[kept.status],
        create_time=stamp(kept.create_time),
        update_time=stamp(kept.update_time),
    )


def content_message(kept: Content) -> pb.AccountContent:
    """What is kept of an account, as a message."""
    return pb.AccountContent(
        name=kept.name,
        number=kept.number,
        currency_code=kept.currency,
        parent_id=kept.parent_id,
        node_id=kept.node_id,
        owner_role=ROLES[kept.owner_role],
        owner=kept.owner,
    )


def request_message(kept: Request) -> pb.AccountRequest:
    """A request as it goes to a caller."""
    return pb.AccountRequest(
        id=kept.id,
        etag=etag(kept.version),
        customer_id=kept.customer_id,
        account_id=kept.account_id,
        kind=REQUEST_KINDS[kept.kind],
        account_kind=KINDS[kept.account_kind],
        wanted=content_message(kept.wanted) if kept.wanted else None,
        update_mask=FieldMask(paths=sorted(kept.names)) if kept.names else None,
        account_etag=etag(kept.account_version) if kept.account_version else "",
        asked_by=kept.asked_by,
        ask_time=stamp(kept.ask_time),
        reason=kept.reason,
        approver_role=ROLES[kept.approver_role],
        approver=kept.approver,
        status=REQUEST_STATUSES[kept.status],
        trail=[
            pb.AccountRequestStep(status=REQUEST_STATUSES[s.status], by=s.by, time=stamp(s.time), note=s.note)
            for s in kept.trail
        ],
        update_time=stamp(kept.update_time),
    )


def facts(kept: Account) -> pb.AccountFacts:
    """What events tell of an account: no name, no number."""
    return pb.AccountFacts(
        id=kept.id,
        customer_id=kept.customer_id,
        kind=KINDS[kept.kind],
        status=STATUSES[kept.status],
        currency_code=kept.content.currency,
        parent_id=kept.content.parent_id,
        node_id=kept.content.node_id,
    )


def request_facts(kept: Request) -> pb.AccountRequestFacts:
    """What events tell of a request: nothing anybody wrote."""
    return pb.AccountRequestFacts(
        id=kept.id,
        customer_id=kept.customer_id,
        account_id=kept.account_id,
        kind=REQUEST_KINDS[kept.kind],
        status=REQUEST_STATUSES[kept.status],
        approver_role=ROLES[kept.approver_role],
    )
