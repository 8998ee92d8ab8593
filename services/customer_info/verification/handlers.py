"""`VerificationsService`: protobuf in, protobuf out."""

from typing import Any

from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import verification_pb2 as pb
from holdfast.customer_info.v1 import verification_pb2_grpc

from chassis.app import App
from chassis.call import channel, current, subject
from chassis.query.selection import selection
from services.customer_info.customers.rules import MediumKind
from services.customer_info.customers.wire import KINDS as MEDIA
from services.customer_info.verification import wire
from services.customer_info.verification.lock_rules import Whose
from services.customer_info.verification.rules import Actor
from services.customer_info.verification.usecases import VerificationUseCases
from services.customer_info.wire import stamp

_MEDIUM: dict[int, MediumKind] = {number: kind for kind, number in MEDIA.items()}
# Whoever has one of these does not answer for one caller at a time, as an agent does.
SYSTEMS = frozenset({"service", "admin"})
# Whoever has one of these may set factors of a customer that is not verified.
TRUSTED = frozenset({"supervisor", "service", "admin", "customer"})


class VerificationsHandlers(verification_pb2_grpc.VerificationsServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: VerificationUseCases) -> None:
        self._usecases = usecases

    async def SetFactor(self, request: pb.SetFactorRequest, _: Any) -> pb.SetFactorResponse:
        """Sets a factor."""
        kept = await self._usecases.set_factor(actor(), request.customer_id, wire.answer(request), request.contact_id)
        return pb.SetFactorResponse(factor=wire.factor(kept))

    async def RemoveFactor(self, request: pb.RemoveFactorRequest, _: Any) -> pb.RemoveFactorResponse:
        """Removes a factor."""
        await self._usecases.remove_factor(actor(), request.customer_id, wire.challenge(request))
        return pb.RemoveFactorResponse()

    async def ListFactors(self, request: pb.ListFactorsRequest, _: Any) -> pb.ListFactorsResponse:
        """Tells what a customer can be challenged with."""
        found = await self._usecases.factors(request.customer_id)
        return pb.ListFactorsResponse(factors=[wire.factor(f) for f in found])

    async def IssueCode(self, request: pb.IssueCodeRequest, _: Any) -> pb.IssueCodeResponse:
        """Makes a one-time code."""
        made = await self._usecases.issue_code(
            actor(), request.customer_id, request.contact_id, _MEDIUM[request.medium_kind], request.medium_value
        )
        return pb.IssueCodeResponse(code=made.code, delivery_id=made.delivery_id, expire_time=stamp(made.expire_time))

    async def Verify(self, request: pb.VerifyRequest, _: Any) -> pb.VerifyResponse:
        """Tries answers."""
        answers = [wire.answer(a) for a in request.answers]
        result = await self._usecases.verify(actor(), request.customer_id, request.contact_id, answers)
        return pb.VerifyResponse(
            passed=result.passed,
            verification=wire.verification(request.customer_id, request.contact_id, result.standing),
            attempts_left=result.left,
            locked_until=stamp(result.locked_until),
        )

    async def GetVerification(self, request: pb.GetVerificationRequest, _: Any) -> pb.GetVerificationResponse:
        """Reads the level in one contact."""
        reached = await self._usecases.standing(request.customer_id, request.contact_id)
        return pb.GetVerificationResponse(
            verification=wire.verification(request.customer_id, request.contact_id, reached)
        )

    async def LiftLock(self, request: pb.LiftLockRequest, _: Any) -> pb.LiftLockResponse:
        """Lifts a lock-out."""
        if request.WhichOneof("whose") == "customer_id":
            await self._usecases.lift(actor(), Whose.CUSTOMER, request.customer_id)
        else:
            await self._usecases.lift(actor(), Whose.AGENT, request.agent)
        return pb.LiftLockResponse()

    async def ListAttempts(self, request: pb.ListAttemptsRequest, _: Any) -> pb.ListAttemptsResponse:
        """Reads a page of the audit trail."""
        attempts, token = await self._usecases.page(selection(request.query))
        return pb.ListAttemptsResponse(
            attempts=[wire.attempt(a) for a in attempts], page=query_pb2.PageResponse(next_page_token=token)
        )


def actor() -> Actor:
    """Who makes the call being served."""
    call = current()
    roles = call.caller.roles if call and call.caller else frozenset()
    return Actor(subject(), channel(), person=not roles & SYSTEMS, trusted=bool(roles & TRUSTED))


def install(app: App, usecases: VerificationUseCases) -> None:
    """Serves `VerificationsService`."""
    app.serve(
        verification_pb2_grpc.add_VerificationsServiceServicer_to_server,
        VerificationsHandlers(usecases),
        pb.DESCRIPTOR.services_by_name["VerificationsService"],
    )
