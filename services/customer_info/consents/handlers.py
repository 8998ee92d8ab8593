"""`ConsentsService`: protobuf in, protobuf out."""

from typing import Any

from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import consents_pb2 as pb
from holdfast.customer_info.v1 import consents_pb2_grpc

from chassis.app import App
from chassis.call import channel, subject
from chassis.query.selection import selection
from chassis.times import moment
from services.customer_info.consents import wire
from services.customer_info.consents.rules import Change, Lifted
from services.customer_info.consents.usecases import ConsentUseCases, Write
from services.customer_info.wire import asked_for

Writing = pb.RecordConsentRequest | pb.WithdrawConsentRequest | pb.SetDoNotContactRequest | pb.LiftDoNotContactRequest


class ConsentsHandlers(consents_pb2_grpc.ConsentsServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: ConsentUseCases) -> None:
        self._usecases = usecases

    async def RecordConsent(self, request: pb.RecordConsentRequest, _: Any) -> pb.RecordConsentResponse:
        """Records a lawful basis."""
        return pb.RecordConsentResponse(record=await self._recorded(request, wire.given(request.given)))

    async def WithdrawConsent(self, request: pb.WithdrawConsentRequest, _: Any) -> pb.WithdrawConsentResponse:
        """Withdraws consent."""
        return pb.WithdrawConsentResponse(record=await self._recorded(request, wire.withdrawn(request.withdrawn)))

    async def ListConsents(self, request: pb.ListConsentsRequest, _: Any) -> pb.ListConsentsResponse:
        """Reads a page of a customer's records."""
        records, token = await self._usecases.page(request.customer_id, selection(request.query))
        return pb.ListConsentsResponse(
            records=[wire.record(r) for r in records], page=query_pb2.PageResponse(next_page_token=token)
        )

    async def SetDoNotContact(self, request: pb.SetDoNotContactRequest, _: Any) -> pb.SetDoNotContactResponse:
        """Keeps a customer from being contacted."""
        entry = wire.do_not_contact(request.do_not_contact)
        return pb.SetDoNotContactResponse(record=await self._recorded(request, entry))

    async def LiftDoNotContact(self, request: pb.LiftDoNotContactRequest, _: Any) -> pb.LiftDoNotContactResponse:
        """Lifts a do-not-contact entry."""
        return pb.LiftDoNotContactResponse(record=await self._recorded(request, Lifted(request.record_id)))

    async def MayContact(self, request: pb.MayContactRequest, _: Any) -> pb.MayContactResponse:
        """Answers whether a customer may be contacted."""
        decision, at = await self._usecases.may_contact(
            request.customer_id, request.purpose, wire.channel(request.channel), moment(request, "at", "at")
        )
        return pb.MayContactResponse(decision=wire.decision(request.customer_id, decision, at))

    async def MayContactMany(self, request: pb.MayContactManyRequest, _: Any) -> pb.MayContactManyResponse:
        """Answers the same for many."""
        answers = await self._usecases.may_contact_many(
            request.customer_ids, request.purpose, wire.channel(request.channel), moment(request, "at", "at")
        )
        decided = zip(request.customer_ids, answers, strict=True)
        return pb.MayContactManyResponse(decisions=[wire.decision(i, d, at) for i, (d, at) in decided])

    async def _recorded(self, request: Writing, change: Change) -> pb.ConsentRecord:
        kept = await self._usecases.record(
            request.customer_id, change, wire.source(request.source, channel()), subject(), _write(request)
        )
        return wire.record(kept)


def _write(request: Writing) -> Write:
    return Write(type(request).__name__, request.request_id, asked_for(request))


def install(app: App, usecases: ConsentUseCases) -> None:
    """Serves `ConsentsService`."""
    app.serve(
        consents_pb2_grpc.add_ConsentsServiceServicer_to_server,
        ConsentsHandlers(usecases),
        pb.DESCRIPTOR.services_by_name["ConsentsService"],
    )
