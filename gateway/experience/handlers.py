"""`ExperienceService`: protobuf in, protobuf out."""

from collections.abc import Mapping
from typing import Any

from google.protobuf.message import Message
from holdfast.gateway.v1 import experience_pb2 as pb
from holdfast.gateway.v1 import experience_pb2_grpc

from chassis.call import current, remaining
from chassis.times import to_timestamp
from gateway.experience.ports import Ask, Viewer
from gateway.experience.rules import Freshness, Section
from gateway.experience.usecases import Customer360, Timed

DEFAULT_INTERACTIONS = 10
FRESHNESS = {
    Freshness.FRESH: pb.SectionStatus.FRESHNESS_FRESH,
    Freshness.STALE: pb.SectionStatus.FRESHNESS_STALE,
    Freshness.MISSING: pb.SectionStatus.FRESHNESS_MISSING,
    Freshness.ABSENT: pb.SectionStatus.FRESHNESS_ABSENT,
}


class ExperienceHandlers(experience_pb2_grpc.ExperienceServiceServicer):
    """Translates between the contract and the use case."""

    def __init__(self, customer360: Customer360[Message]) -> None:
        self._customer360 = customer360

    async def GetCustomer360(self, request: pb.GetCustomer360Request, _: Any) -> pb.GetCustomer360Response:
        """Tells a customer's whole story."""
        story = await self._customer360.tell(_ask(request), remaining())
        return _response(request.customer_id, story)


def _ask(request: pb.GetCustomer360Request) -> Ask:
    call = current()
    caller = call.caller if call else None
    assert caller is not None, "authentication lets in nobody whom it does not know"
    viewer = Viewer(caller.roles, caller.customer_id, caller.partner_id)
    return Ask(request.customer_id, request.interactions or DEFAULT_INTERACTIONS, viewer, caller.token)


def _response(customer_id: str, story: Mapping[Section, Timed[Message]]) -> pb.GetCustomer360Response:
    response = pb.GetCustomer360Response(customer_id=_survivor(customer_id, story))
    for section, timed in story.items():
        part = getattr(response, section.value)
        if timed.told.content is not None:
            part.CopyFrom(timed.told.content)
        part.status.CopyFrom(_status(timed))
    return response


def _survivor(customer_id: str, story: Mapping[Section, Timed[Message]]) -> str:
    """The id that the customer goes by: of one that was merged, the survivor's, as far as customer information says."""
    told = story[Section.CUSTOMER].told.content
    return told.customer.id or customer_id if isinstance(told, pb.CustomerSection) else customer_id


def _status(timed: Timed[Message]) -> pb.SectionStatus:
    told = timed.told
    return pb.SectionStatus(
        freshness=FRESHNESS[told.freshness],
        as_of=to_timestamp(told.as_of) if told.as_of else None,
        reason=told.reason,
        milliseconds=timed.milliseconds,
    )
