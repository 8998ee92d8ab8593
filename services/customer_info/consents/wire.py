"""Consents between protobuf and the rules' dataclasses: part of the handlers' door, kept apart for its length."""

from collections.abc import Iterable
from datetime import datetime

from holdfast.common.v1 import types_pb2
from holdfast.customer_info.v1 import consents_pb2 as pb

from chassis.events.outbox import Happening
from chassis.times import moment
from services.customer_info.consents.contact_rules import Decision, Reason
from services.customer_info.consents.rules import (
    Basis,
    Change,
    Channel,
    DoNotContact,
    Extent,
    Given,
    Kind,
    Lifted,
    Record,
    Source,
    Why,
    Withdrawn,
)
from services.customer_info.wire import stamp

BASES = {b: pb.LawfulBasis.Value(f"LAWFUL_BASIS_{b.name}") for b in Basis}
CHANNELS = {c: pb.ContactChannel.Value(f"CONTACT_CHANNEL_{c.name}") for c in Channel}
EXTENTS = {e: pb.DoNotContact.Extent.Value(f"EXTENT_{e.name}") for e in Extent}
WHYS = {w: pb.DoNotContact.Reason.Value(f"REASON_{w.name}") for w in Why}
REASONS = {r: pb.ContactReason.Value(f"CONTACT_REASON_{r.name}") for r in Reason}
STATES = {k: pb.ConsentState.Value(f"CONSENT_STATE_{k.name}") for k in Kind}
_BASIS = {number: basis for basis, number in BASES.items()}
_CHANNEL: dict[int, Channel] = {number: channel for channel, number in CHANNELS.items()}
_EXTENT = {number: extent for extent, number in EXTENTS.items()}
_WHY = {number: why for why, number in WHYS.items()}


def channel(number: pb.ContactChannel.ValueType) -> Channel | None:
    """The channel that a question names; None where it names none."""
    return _CHANNEL.get(number)


def given(message: pb.ConsentGiven) -> Given:
    """The lawful basis that a validated message tells.

    Raises:
        Invalid: one of its times is no time.
    """
    start, end = _span(message.valid, "given.valid")
    return Given(message.purpose, _BASIS[message.basis], _channels(message.channels), start, end)


def withdrawn(message: pb.ConsentWithdrawn) -> Withdrawn:
    """The withdrawal that a validated message tells."""
    return Withdrawn(message.purpose, _channels(message.channels))


def do_not_contact(message: pb.DoNotContact) -> DoNotContact:
    """The do-not-contact entry that a validated message tells.

    Raises:
        Invalid: one of its times is no time.
    """
    start, end = _span(message.valid, "do_not_contact.valid")
    extent = _EXTENT.get(message.extent, Extent.UNSOLICITED)
    purposes = tuple(message.purposes)
    return DoNotContact(extent, _channels(message.channels), purposes, start, end, _WHY.get(message.reason))


def source(message: pb.ConsentSource, through: str) -> Source:
    """Where a record comes from; without a channel of its own, from the one `through` which it is recorded."""
    evidence = (message.evidence.type, message.evidence.id) if message.HasField("evidence") else None
    return Source(message.channel or through, evidence, message.note)


def record(kept: Record) -> pb.ConsentRecord:
    """A record as it goes to a caller."""
    out = pb.ConsentRecord(
        id=kept.id,
        customer_id=kept.customer_id,
        source=pb.ConsentSource(channel=kept.source.channel, note=kept.source.note),
        by=kept.by,
        time=stamp(kept.time),
    )
    if kept.source.evidence:
        out.source.evidence.type, out.source.evidence.id = kept.source.evidence
    _tell(out, kept.change)
    return out


def decision(customer_id: str, made: Decision, at: datetime) -> pb.ContactDecision:
    """An answer as it goes to a caller."""
    return pb.ContactDecision(
        customer_id=customer_id,
        allowed=made.allowed,
        reason=REASONS[made.reason],
        record_id=made.record_id,
        as_of=stamp(at),
        open_time=stamp(made.opens),
    )


def changed_event(kept: Record, about: Change) -> Happening:
    """Tells of a record; `about` is what it says or, of a lifted entry, what that had said."""
    data = pb.ConsentChanged(customer_id=kept.customer_id, record_id=kept.id, state=STATES[kept.kind])
    if isinstance(about, Given):
        data.basis = BASES[about.basis]
    if isinstance(about, Given | Withdrawn):
        data.purposes.append(about.purpose)
    elif isinstance(about, DoNotContact):
        data.purposes.extend(about.purposes)
    if not isinstance(about, Lifted):
        data.channels.extend(CHANNELS[c] for c in about.channels)
    return Happening(kept.id, 1, data, kept.time, kept.customer_id)


def _tell(out: pb.ConsentRecord, change: Change) -> None:
    if isinstance(change, Given):
        out.given.purpose, out.given.basis = change.purpose, BASES[change.basis]
        out.given.channels.extend(CHANNELS[c] for c in change.channels)
        if period := _period(change.start, change.end):
            out.given.valid.CopyFrom(period)
    elif isinstance(change, Withdrawn):
        out.withdrawn.purpose = change.purpose
        out.withdrawn.channels.extend(CHANNELS[c] for c in change.channels)
    elif isinstance(change, DoNotContact):
        out.do_not_contact.extent = EXTENTS[change.extent]
        out.do_not_contact.channels.extend(CHANNELS[c] for c in change.channels)
        out.do_not_contact.purposes.extend(change.purposes)
        if change.why:
            out.do_not_contact.reason = WHYS[change.why]
        if period := _period(change.start, change.end):
            out.do_not_contact.valid.CopyFrom(period)
    else:
        out.lifted.record_id = change.record_id


def _channels(numbers: Iterable[int]) -> tuple[Channel, ...]:
    return tuple(_CHANNEL[n] for n in numbers)


def _span(message: types_pb2.Period, path: str) -> tuple[datetime | None, datetime | None]:
    return moment(message, "start", f"{path}.start"), moment(message, "end", f"{path}.end")


def _period(start: datetime | None, end: datetime | None) -> types_pb2.Period | None:
    return types_pb2.Period(start=stamp(start), end=stamp(end)) if start or end else None
