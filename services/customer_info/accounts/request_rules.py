"""How a request about an account comes to its end: asked, decided by somebody else, applied. Pure, as all rules."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from chassis.rules import Forbidden, Refused
from services.customer_info.accounts.rules import Account, Content, Kind, Role, check_customer, following, tidied
from services.customer_info.customers.rules import Customer


class RequestKind(StrEnum):
    """What a request asks for."""

    SET_UP = "set_up"
    CHANGE = "change"
    CLOSE = "close"


class RequestStatus(StrEnum):
    """How far a request got. What is approved is applied, or fails, in the same instant."""

    ASKED = "asked"
    APPROVED = "approved"
    APPLIED = "applied"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"


ENDS = frozenset({RequestStatus.APPLIED, RequestStatus.REJECTED, RequestStatus.WITHDRAWN, RequestStatus.FAILED})
TRANSITIONS: Mapping[RequestStatus, frozenset[RequestStatus]] = {
    RequestStatus.ASKED: frozenset({RequestStatus.APPROVED, RequestStatus.REJECTED, RequestStatus.WITHDRAWN}),
    RequestStatus.APPROVED: frozenset({RequestStatus.APPLIED, RequestStatus.FAILED}),
    **{end: frozenset() for end in ENDS},
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as its token says; `customer_id` is set for a customer."""

    subject: str
    roles: frozenset[str]
    customer_id: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for. `names` are the fields of `wanted` that a change is about; `etag` is the account's."""

    customer_id: str
    kind: RequestKind
    account_kind: Kind = Kind.BILLING_ACCOUNT
    account_id: str = ""
    etag: str = ""
    wanted: Content | None = None
    names: frozenset[str] = frozenset()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """What a request became, by whom, when, and what they said of it."""

    status: RequestStatus
    by: str
    time: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A request about an account. Its `trail` ends with its `status`; `version` counts its changes, from 1.

    `account_version` is that of the account as it was when asked (0: a set-up); `approver` is the one subject that
    decides, of those who have `approver_role`; empty: any.
    """

    id: str
    customer_id: str
    account_id: str
    kind: RequestKind
    account_kind: Kind
    wanted: Content | None
    names: frozenset[str]
    account_version: int
    reason: str
    approver_role: Role
    approver: str
    trail: tuple[Step, ...]
    version: int = 1

    @property
    def status(self) -> RequestStatus:
        """How far it got."""
        return self.trail[-1].status

    @property
    def asked_by(self) -> str:
        """Subject of who asked."""
        return self.trail[0].by

    @property
    def ask_time(self) -> datetime:
        """When it was asked."""
        return self.trail[0].time

    @property
    def update_time(self) -> datetime:
        """When it took its last step."""
        return self.trail[-1].time


def asked(wish: Wish, request_id: str, account: Account, actor: Actor, at: datetime) -> Request:
    """A new request about an account there is; the role that the account has decides about it."""
    return Request(
        id=request_id,
        customer_id=account.customer_id,
        account_id=account.id,
        kind=wish.kind,
        account_kind=account.kind,
        wanted=None if wish.wanted is None else tidied(wish.wanted),
        names=wish.names,
        account_version=account.version,
        reason=wish.reason,
        approver_role=account.content.owner_role,
        approver=account.content.owner,
        trail=(Step(RequestStatus.ASKED, actor.subject, at),),
    )


def set_up_asked(
    wish: Wish, request_id: str, actor: Actor, at: datetime, *, account_id: str, parent: Account | None
) -> Request:
    """A new request for an account that will have `account_id`; the role that it would have decides about it.

    A cost centre belongs to whom its billing account `parent` belongs to: of records that were merged, each keeps its
    own when they are parted.
    """
    content = tidied(wish.wanted or Content())
    return Request(
        id=request_id,
        customer_id=parent.customer_id if parent else wish.customer_id,
        account_id=account_id,
        kind=wish.kind,
        account_kind=wish.account_kind,
        wanted=content,
        names=wish.names,
        account_version=0,
        reason=wish.reason,
        approver_role=content.owner_role,
        approver=content.owner,
        trail=(Step(RequestStatus.ASKED, actor.subject, at),),
    )


def check_stays(customer: Customer, kind: RequestKind) -> None:
    """Passes a customer about whose accounts this may be asked: who has left still has accounts to close.

    Raises:
        Refused: it has left.
    """
    if kind is not RequestKind.CLOSE:
        check_customer(customer.status)


def lapsed(request: Request, at: datetime) -> Request:
    """A request that waits, withdrawn by nobody's hand: its customer was erased, and nobody can decide any more."""
    return taken_on(request, RequestStatus.WITHDRAWN, Actor("", frozenset()), "", at)


def check_approver(request: Request, actor: Actor, customer_ids: Collection[str]) -> None:
    """Passes who may decide: somebody other than who asked, with the owner's role or an administrator's.

    `customer_ids` are those whose people count as the customer's own.

    Raises:
        Forbidden: somebody else has to decide (NOT_APPROVER).
    """
    if actor.subject == request.asked_by:
        raise _not_approver("who asked may not decide", request)
    if Role.ADMIN in actor.roles:
        return
    if request.approver_role not in actor.roles:
        raise _not_approver(f"a {request.approver_role} decides about this account", request)
    if request.approver_role is Role.CUSTOMER and actor.customer_id not in customer_ids:
        raise _not_approver("the customer's own people decide about this account", request)
    if request.approver and actor.subject != request.approver:
        raise _not_approver("the account's owner decides about it", request)


def check_asker(request: Request, actor: Actor) -> None:
    """Passes who may take a request back: who asked, and an administrator.

    Raises:
        Forbidden: it is somebody else (NOT_APPROVER).
    """
    if actor.subject != request.asked_by and Role.ADMIN not in actor.roles:
        raise Forbidden(
            "only who asked may withdraw a request", reason="NOT_APPROVER", metadata={"role": Role.ADMIN.value}
        )


def check_unchanged(request: Request, account: Account) -> None:
    """Passes an account that is still as it was when asked.

    Raises:
        Refused: it changed since.
    """
    if account.version != request.account_version:
        raise Refused(
            "the account changed after this was asked: ask again, about what it is now", metadata={"state": "changed"}
        )


def taken_on(request: Request, status: RequestStatus, actor: Actor, note: str, at: datetime) -> Request:
    """`request` one step further: rejected, withdrawn or approved.

    Raises:
        Refused: it is over, or takes no such step (FORBIDDEN_TRANSITION); the metadata names those it takes.
    """
    allowed = TRANSITIONS[request.status]
    if status not in allowed:
        names = ", ".join(sorted(allowed)) or "none"
        raise Refused(
            f"a request that is {request.status} cannot become {status}; it can become {names}",
            reason="FORBIDDEN_TRANSITION",
            metadata={"from": request.status, "to": status, "allowed": names},
        )
    step = Step(status, actor.subject, following(request.update_time, at), note)
    return replace(request, trail=(*request.trail, step), version=request.version + 1)


def approved(request: Request, actor: Actor, note: str, at: datetime, *, failure: str = "") -> Request:
    """`request` approved and at its end: applied or, where `failure` says why, failed.

    Raises:
        Refused: it is over (FORBIDDEN_TRANSITION).
    """
    waiting = taken_on(request, RequestStatus.APPROVED, actor, note, at)
    end = RequestStatus.FAILED if failure else RequestStatus.APPLIED
    done = taken_on(waiting, end, actor, failure, at)
    # One change of what is kept, however many steps it tells of.
    return replace(done, version=waiting.version)


def _not_approver(message: str, request: Request) -> Forbidden:
    return Forbidden(message, reason="NOT_APPROVER", metadata={"role": request.approver_role.value})
