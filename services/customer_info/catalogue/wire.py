"""Families between protobuf and the rules' dataclasses: part of the handlers' door, kept apart for its length."""

from holdfast.customer_info.v1 import catalogue_pb2 as pb

from chassis.etag import etag
from services.customer_info.catalogue.rules import Characteristic, Family, Identifier, Kind, Status
from services.customer_info.history.rules import Made
from services.customer_info.wire import stamp

STATUSES = {s: pb.FamilyStatus.Value(f"FAMILY_STATUS_{s.name}") for s in Status}
KINDS = {k: pb.CharacteristicSpecification.Kind.Value(f"KIND_{k.name}") for k in Kind}
_STATUS = {number: status for status, number in STATUSES.items()}
_KIND = {number: kind for kind, number in KINDS.items()}


def family(message: pb.ProductFamily) -> Family:
    """The family that a validated message describes."""
    return Family(
        name=message.name,
        title=message.title,
        line=message.line,
        characteristics=tuple(_characteristic(c) for c in message.characteristics),
        identifiers=tuple(Identifier(i.kind, i.required, i.most) for i in message.identifiers),
        open=message.open,
        status=_STATUS.get(message.status, Status.ACTIVE),
    )


def message(kept: Family) -> pb.ProductFamily:
    """A family as it goes to a caller."""
    return pb.ProductFamily(
        name=kept.name,
        etag=etag(kept.version),
        title=kept.title,
        line=kept.line,
        characteristics=[_characteristic_message(c) for c in kept.characteristics],
        identifiers=[
            pb.IdentifierSpecification(kind=i.kind, required=i.required, most=i.most) for i in kept.identifiers
        ],
        open=kept.open,
        status=STATUSES[kept.status],
        update_time=stamp(kept.update_time),
    )


def version_message(made: Made[Family]) -> pb.FamilyVersion:
    """A version of a family as it goes to a caller."""
    family = made.record
    return pb.FamilyVersion(family=message(family), version=family.version, by=made.by, channel=made.channel)


def _characteristic(message: pb.CharacteristicSpecification) -> Characteristic:
    return Characteristic(
        message.name,
        _KIND.get(message.kind, Kind.TEXT),
        tuple(message.choices),
        message.unit,
        message.required,
        message.minimum if message.HasField("minimum") else None,
        message.maximum if message.HasField("maximum") else None,
    )


def _characteristic_message(known: Characteristic) -> pb.CharacteristicSpecification:
    return pb.CharacteristicSpecification(
        name=known.name,
        kind=KINDS[known.kind],
        choices=known.choices,
        unit=known.unit,
        required=known.required,
        minimum=known.minimum,
        maximum=known.maximum,
    )
