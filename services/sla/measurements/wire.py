"""Measurements between protobuf and the rules' dataclasses: part of the handlers' door, kept apart for its length."""

from holdfast.sla.v1 import measurements_pb2 as pb

from chassis.times import from_timestamp, moment, to_timestamp
from services.sla.measurements.outage_rules import Outage, ProductAvailability
from services.sla.measurements.rules import Window


def outage(message: pb.Outage) -> Outage:
    """The outage that a validated message describes.

    Raises:
        Invalid: it ends no later than it starts.
    """
    start = from_timestamp(message.period.start, "period.start")
    end = moment(message.period, "end", "period.end")
    return Outage(message.id, message.customer_id, message.product_id, start, end, message.planned)


def message(kept: Outage) -> pb.Outage:
    """An outage as the sender told of it."""
    out = pb.Outage(id=kept.id, customer_id=kept.customer_id, product_id=kept.product_id, planned=kept.planned)
    out.period.start.CopyFrom(to_timestamp(kept.start))
    if kept.end is not None:
        out.period.end.CopyFrom(to_timestamp(kept.end))
    return out


def response(period: Window, products: list[ProductAvailability]) -> pb.GetAvailabilityResponse:
    """Availability as it goes to a caller."""
    return pb.GetAvailabilityResponse(
        start=to_timestamp(period.start),
        end=to_timestamp(period.end),
        products=[
            pb.ProductAvailability(
                product_id=one.product_id,
                availability=one.share,
                outage_seconds=one.outage_seconds,
                planned_seconds=one.planned_seconds,
                outages=one.outages,
            )
            for one in products
        ],
    )
