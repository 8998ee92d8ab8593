"""Whether a customer may be contacted, and why. Pure: no I/O, no clock, no randomness.

The table, first line first; `grounds` are what was recorded for the purpose, and what the purpose has by itself
(`BY_PURPOSE`). Channels are weighed one by one: a question that names none is whether any is left.

| the case | the answer | source |
|---|---|---|
| the person was erased | no: CUSTOMER_ERASED | GDPR, art. 17 |
| a ground is in force, not withdrawn and not forbidden | yes: ALLOWED_BY_ its basis | art. 6(1) |
| it is, but the customer keeps other hours for being disturbed | no: OUTSIDE_CONTACT_WINDOW | its profile |
| a do-not-contact entry forbids it | no: DO_NOT_CONTACT | art. 21(2) and (3); public lists |
| no ground, but an objection | no: OBJECTED | art. 21 |
| no ground | no: NO_CONSENT | art. 6(1); Directive 2002/58/EC, art. 13(1) |
| else, of the latest ground: its basis ended as the customer left | no: CUSTOMER_LEFT | art. 6(1)(b) |
| it is a consent that was withdrawn later | no: WITHDRAWN | art. 7(3) |
| it rests on interests that were objected to later | no: OBJECTED | art. 21(1) |
| it begins later | no: NOT_YET_VALID | |
| it has ended | no: EXPIRED | |
| it is for other channels | no: CHANNEL_NOT_COVERED | |

A withdrawal ends all that was recorded or had begun before it; what is given anew after it counts anew. An entry not to
contact holds whatever is given, before or after, until it ends or is lifted; what its extent spares (`SPARED`) it does
not forbid, though that may have come to an end. The hours bind what disturbs (`DISTURBS`), and not what the law demands
or life depends on.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from services.customer_info.consents.rules import (
    EVERY_CHANNEL,
    Basis,
    Channel,
    DoNotContact,
    Extent,
    Given,
    Lifted,
    Record,
    Withdrawn,
    covered,
)
from services.customer_info.customers.rules import Status
from services.customer_info.profiles.rules import Window, open_at, opening

# Mail waits until somebody looks at it; everything else rings, buzzes or knocks.
DISTURBS = EVERY_CHANNEL - {Channel.EMAIL, Channel.POST}
C = TypeVar("C", Given, Withdrawn, DoNotContact)
# What a purpose may rest on though nothing was recorded; any other one needs a record. Advertising, which surveys are,
# takes prior consent by electronic means; profiling for it follows.
BY_PURPOSE: Mapping[str, Basis] = {
    "service": Basis.CONTRACT,
    "billing": Basis.CONTRACT,
    # Changes of contract, breaches of personal data (GDPR, art. 34), emergency warnings.
    "legal_notice": Basis.LEGAL_OBLIGATION,
    "emergency": Basis.VITAL_INTERESTS,
    # GDPR, recital 47, names the prevention of fraud.
    "fraud_prevention": Basis.LEGITIMATE_INTERESTS,
    "credit_check": Basis.LEGITIMATE_INTERESTS,
}
# The first one that holds is named.
RANK = (
    Basis.LEGAL_OBLIGATION,
    Basis.VITAL_INTERESTS,
    Basis.PUBLIC_TASK,
    Basis.CONTRACT,
    Basis.CONSENT,
    Basis.LEGITIMATE_INTERESTS,
)
# GDPR, art. 7(3), lets a person withdraw consent; art. 21(1) lets it object to points (e) and (f) of art. 6(1).
WITHDRAWABLE = frozenset({Basis.CONSENT, Basis.PUBLIC_TASK, Basis.LEGITIMATE_INTERESTS})
SPARED: Mapping[Extent, frozenset[Basis]] = {
    Extent.UNSOLICITED: frozenset({Basis.CONTRACT, Basis.LEGAL_OBLIGATION, Basis.VITAL_INTERESTS, Basis.PUBLIC_TASK}),
    Extent.ALL_BUT_REQUIRED: frozenset({Basis.LEGAL_OBLIGATION, Basis.VITAL_INTERESTS}),
}
# What outlives the contract: a consent is given to the operator, not to a contract.
SURVIVES: Mapping[Status, frozenset[Basis]] = {
    Status.CLOSED: frozenset({Basis.CONSENT, Basis.LEGAL_OBLIGATION, Basis.VITAL_INTERESTS, Basis.PUBLIC_TASK}),
    Status.ARCHIVED: frozenset({Basis.LEGAL_OBLIGATION, Basis.VITAL_INTERESTS, Basis.PUBLIC_TASK}),
}


class Reason(StrEnum):
    """Why a customer may or may not be contacted."""

    ALLOWED_BY_CONSENT = "allowed_by_consent"
    ALLOWED_BY_CONTRACT = "allowed_by_contract"
    ALLOWED_BY_LEGAL_OBLIGATION = "allowed_by_legal_obligation"
    ALLOWED_BY_VITAL_INTERESTS = "allowed_by_vital_interests"
    ALLOWED_BY_PUBLIC_TASK = "allowed_by_public_task"
    ALLOWED_BY_LEGITIMATE_INTERESTS = "allowed_by_legitimate_interests"
    NO_CONSENT = "no_consent"
    WITHDRAWN = "withdrawn"
    OBJECTED = "objected"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    CHANNEL_NOT_COVERED = "channel_not_covered"
    DO_NOT_CONTACT = "do_not_contact"
    OUTSIDE_CONTACT_WINDOW = "outside_contact_window"
    CUSTOMER_LEFT = "customer_left"
    CUSTOMER_ERASED = "customer_erased"
    NO_SUCH_CUSTOMER = "no_such_customer"


@dataclass(frozen=True, slots=True)
class Question:
    """May a customer be contacted for a purpose, through a channel (None: through any), at a time?"""

    purpose: str
    channel: Channel | None
    at: datetime

    @property
    def channels(self) -> frozenset[Channel]:
        """The channels that would do."""
        return EVERY_CHANNEL if self.channel is None else frozenset({self.channel})


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer's reason, and the record that decided; empty where none did. `opens`: from when on the answer is yes,
    where only the customer's hours speak against it; None where something else will by then.
    """

    reason: Reason
    record_id: str = ""
    opens: datetime | None = None

    @property
    def allowed(self) -> bool:
        """Whether the customer may be contacted."""
        return self.reason.name.startswith("ALLOWED_BY_")


@dataclass(frozen=True, slots=True)
class _Ground:
    """Something that a purpose may rest on: what a record gives, or what the purpose has by itself (no record)."""

    basis: Basis
    channels: frozenset[Channel] = EVERY_CHANNEL
    record: Record | None = None
    start: datetime | None = None
    end: datetime | None = None

    @property
    def id(self) -> str:
        """The id of the record."""
        return self.record.id if self.record else ""

    def begun_after(self, withdrawal: Record) -> bool:
        """Whether it was given anew after a withdrawal: recorded later, and not for a time before."""
        if self.record is None or self.start is None:
            return False
        return self.record.time > withdrawal.time and self.start > withdrawal.time


@dataclass(frozen=True, slots=True)
class _Case:
    """A question, what the purpose may rest on, and what speaks against: withdrawals from it, and entries in force.

    The latest come first, and of the grounds last what the purpose has by itself.
    """

    question: Question
    status: Status
    grounds: Sequence[_Ground]
    withdrawals: Sequence[tuple[Withdrawn, Record]]
    entries: Sequence[tuple[DoNotContact, Record]]

    def holding(self) -> list[_Ground]:
        """The grounds that hold, the one to be named first."""
        return [g for g in sorted(self.grounds, key=lambda g: RANK.index(g.basis)) if self.left(g)]

    def left(self, ground: _Ground) -> frozenset[Channel]:
        """The channels for which the ground is in force and that nothing forbids."""
        if self.fault(ground) is not None:
            return frozenset()
        forbidden = [covered(e.channels) for e, _ in self._against({ground.basis})]
        return self._reach(ground) - self._withdrawn(ground).union(*forbidden)

    def fault(self, ground: _Ground) -> Reason | None:
        """What is wrong with a ground by itself; None: it is in force, for one of the channels asked for."""
        if ground.basis not in SURVIVES.get(self.status, RANK):
            return Reason.CUSTOMER_LEFT
        if not self._wanted(ground) - self._withdrawn(ground):
            return Reason.WITHDRAWN if ground.basis is Basis.CONSENT else Reason.OBJECTED
        if ground.start is not None and ground.start > self.question.at:
            return Reason.NOT_YET_VALID
        if ground.end is not None and ground.end <= self.question.at:
            return Reason.EXPIRED
        return None if self._reach(ground) else Reason.CHANNEL_NOT_COVERED

    def refusal(self) -> Decision:
        """Why the customer may not be contacted, where none of the grounds holds."""
        if forbidding := self._forbidding():
            return Decision(Reason.DO_NOT_CONTACT, forbidding)
        if not self.grounds:
            objections = [r for w, r in self.withdrawals if not self.question.channels - covered(w.channels)]
            return Decision(Reason.OBJECTED, objections[0].id) if objections else Decision(Reason.NO_CONSENT)
        latest = self.grounds[0]
        fault = self.fault(latest)
        assert fault is not None, "what has no fault is forbidden, or holds"
        if fault in (Reason.WITHDRAWN, Reason.OBJECTED):
            wanted = self._wanted(latest)
            ending = (r.id for w, r in self.withdrawals if not latest.begun_after(r) and wanted & covered(w.channels))
            return Decision(fault, next(ending))
        return Decision(fault, latest.id)

    def _forbidding(self) -> str:
        """The latest entry without which a ground would hold, or which leaves no channel to any; empty: none does."""
        for ground in self.grounds:
            if self.fault(ground) is None:
                reach = self._reach(ground) - self._withdrawn(ground)
                return next(r.id for e, r in self._against({ground.basis}) if reach & covered(e.channels))
        # What is not there could only be a consent.
        against = self._against({g.basis for g in self.grounds} or {Basis.CONSENT})
        if self.question.channels.difference(*(covered(e.channels) for e, _ in against)):
            return ""
        return next(r.id for e, r in against if self.question.channels & covered(e.channels))

    def _against(self, bases: Collection[Basis]) -> list[tuple[DoNotContact, Record]]:
        """The entries in force that spare none of the bases."""
        return [(e, r) for e, r in self.entries if SPARED[e.extent].isdisjoint(bases)]

    def _reach(self, ground: _Ground) -> frozenset[Channel]:
        """The channels asked for that the ground is for."""
        return self.question.channels & ground.channels

    def _wanted(self, ground: _Ground) -> frozenset[Channel]:
        """The channels asked for that the ground is for; where it is for none of them, all of them."""
        return self._reach(ground) or self.question.channels

    def _withdrawn(self, ground: _Ground) -> frozenset[Channel]:
        """The channels for which the ground was withdrawn."""
        if ground.basis not in WITHDRAWABLE:
            return frozenset()
        return frozenset().union(*(covered(w.channels) for w, r in self.withdrawals if not ground.begun_after(r)))


def decide(
    records: Iterable[Record], status: Status, *, erased: bool, question: Question, window: Window | None = None
) -> Decision:
    """Whether a customer may be contacted, by all that was recorded of it until the time asked for.

    `window` are the hours in which the customer may be disturbed; None: any.
    """
    if erased:
        return Decision(Reason.CUSTOMER_ERASED)
    known = sorted((r for r in records if r.time <= question.at), key=lambda r: (r.time, r.id), reverse=True)
    case = _case(known, status, question)
    holding = case.holding()
    if not holding:
        return case.refusal()
    if window is not None and not open_at(window, question.at):
        holding = [g for g in holding if g.basis in SPARED[Extent.ALL_BUT_REQUIRED] or case.left(g) - DISTURBS]
        if not holding:
            opens = opening(window, question.at)
            # Until then a consent may end, or an entry begin.
            if opens is not None and not _case(known, status, replace(question, at=opens)).holding():
                opens = None
            return Decision(Reason.OUTSIDE_CONTACT_WINDOW, opens=opens)
    return Decision(Reason[f"ALLOWED_BY_{holding[0].basis.name}"], holding[0].id)


def _case(known: Sequence[Record], status: Status, question: Question) -> _Case:
    """What the records `known`, the latest first, come to for a question."""
    withdrawals = [(w, r) for w, r in _changes(known, Withdrawn) if w.purpose == question.purpose]
    return _Case(question, status, _grounds(known, question), withdrawals, _in_force(known, question))


def _changes(known: Iterable[Record], kind: type[C]) -> list[tuple[C, Record]]:
    return [(r.change, r) for r in known if isinstance(r.change, kind)]


def _grounds(known: Sequence[Record], question: Question) -> list[_Ground]:
    """What the purpose may rest on, the latest record first, what it has by itself last."""
    found = [
        _Ground(g.basis, covered(g.channels), r, g.start or r.time, g.end)
        for g, r in _changes(known, Given)
        if g.purpose == question.purpose
    ]
    own = BY_PURPOSE.get(question.purpose)
    return found if own is None else [*found, _Ground(own)]


def _in_force(known: Sequence[Record], question: Question) -> list[tuple[DoNotContact, Record]]:
    """The do-not-contact entries in force for the purpose."""
    lifted = {r.change.record_id for r in known if isinstance(r.change, Lifted)}
    return [
        (entry, r)
        for entry, r in _changes(known, DoNotContact)
        if r.id not in lifted
        and (not entry.purposes or question.purpose in entry.purposes)
        and (entry.start or r.time) <= question.at
        and (entry.end is None or question.at < entry.end)
    ]
