"""`DuplicatesService`: protobuf in, protobuf out."""

from collections.abc import AsyncIterator
from typing import Any

from holdfast.customer_info.v1 import duplicates_pb2 as pb
from holdfast.customer_info.v1 import duplicates_pb2_grpc

from chassis.app import App
from services.customer_info.customers import wire as customer_wire
from services.customer_info.duplicates.rules import POSSIBLE, Comparison, Verdict
from services.customer_info.duplicates.usecases import DuplicateUseCases

VERDICTS = {
    Verdict.SAME: pb.DUPLICATE_VERDICT_SAME,
    Verdict.POSSIBLE: pb.DUPLICATE_VERDICT_POSSIBLE,
    Verdict.DIFFERENT: pb.DUPLICATE_VERDICT_UNSPECIFIED,
}


class DuplicatesHandlers(duplicates_pb2_grpc.DuplicatesServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: DuplicateUseCases) -> None:
        self._usecases = usecases

    async def FindDuplicates(self, request: pb.FindDuplicatesRequest, _: Any) -> pb.FindDuplicatesResponse:
        """Finds the duplicates of one customer."""
        if request.WhichOneof("of") == "customer":
            found = await self._usecases.like(customer_wire.customer(request.customer), request.limit)
        else:
            found = await self._usecases.of(request.customer_id, request.limit)
        candidates = [
            pb.DuplicateCandidate(
                customer=customer_wire.message(c.customer),
                score=c.comparison.score,
                verdict=VERDICTS[c.comparison.verdict],
                evidence=_evidence(c.comparison),
            )
            for c in found
        ]
        return pb.FindDuplicatesResponse(candidates=candidates)

    async def DismissDuplicate(self, request: pb.DismissDuplicateRequest, _: Any) -> pb.DismissDuplicateResponse:
        """Keeps two records apart."""
        await self._usecases.dismiss(request.customer_id, request.other_id)
        return pb.DismissDuplicateResponse()

    async def ScanDuplicates(
        self, request: pb.ScanDuplicatesRequest, _: Any
    ) -> AsyncIterator[pb.ScanDuplicatesResponse]:
        """Goes through all customers."""
        seen = 0
        async for stretch in self._usecases.scan(request.after, request.least_score or POSSIBLE):
            seen += stretch.seen
            pairs = [
                pb.DuplicatePair(
                    customer_id=p.customer_id,
                    other_id=p.other_id,
                    score=p.comparison.score,
                    verdict=VERDICTS[p.comparison.verdict],
                    evidence=_evidence(p.comparison),
                )
                for p in stretch.pairs
            ]
            yield pb.ScanDuplicatesResponse(pairs=pairs, position=stretch.position, seen=seen)


def install(app: App, usecases: DuplicateUseCases) -> None:
    """Serves `DuplicatesService`."""
    descriptor = pb.DESCRIPTOR.services_by_name["DuplicatesService"]
    app.serve(duplicates_pb2_grpc.add_DuplicatesServiceServicer_to_server, DuplicatesHandlers(usecases), descriptor)


def _evidence(comparison: Comparison) -> list[pb.DuplicateEvidence]:
    parts = sorted(comparison.parts, key=lambda part: -abs(part.weight))
    return [pb.DuplicateEvidence(field=p.field, similarity=p.similarity, weight=p.weight, code=p.code) for p in parts]
