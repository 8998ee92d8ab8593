"""`InteractionsService`: protobuf in, protobuf out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from holdfast.common.v1 import query_pb2
from holdfast.interaction.v1 import interactions_pb2 as pb
from holdfast.interaction.v1 import interactions_pb2_grpc

from chassis.bulk import Outcome, row_error
from chassis.query.selection import selection
from chassis.tasks import end
from chassis.validation import check_rows
from services.interaction.interactions.usecases import InteractionUseCases

# Messages of one bulk load under way at a time: one is checked while the store works on those before it.
AHEAD = 3


class InteractionsHandlers(interactions_pb2_grpc.InteractionsServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: InteractionUseCases) -> None:
        self._usecases = usecases

    async def LogInteraction(self, request: pb.LogInteractionRequest, _: Any) -> pb.LogInteractionResponse:
        """Logs one contact."""
        entry, duplicate = await self._usecases.log(request.interaction)
        return pb.LogInteractionResponse(interaction=entry, duplicate=duplicate)

    async def GetInteraction(self, request: pb.GetInteractionRequest, _: Any) -> pb.GetInteractionResponse:
        """Reads one entry."""
        return pb.GetInteractionResponse(interaction=await self._usecases.get(request.interaction_id))

    async def ListInteractions(self, request: pb.ListInteractionsRequest, _: Any) -> pb.ListInteractionsResponse:
        """Reads a page of a customer's history."""
        entries, token = await self._usecases.page(request.customer_id, selection(request.query))
        return pb.ListInteractionsResponse(interactions=entries, page=query_pb2.PageResponse(next_page_token=token))

    async def IngestInteractions(
        self, requests: AsyncIterator[pb.IngestInteractionsRequest], _: Any
    ) -> AsyncIterator[pb.IngestInteractionsResponse]:
        """Logs contacts in bulk."""
        received = 0

        async def work(request: pb.IngestInteractionsRequest) -> pb.IngestInteractionsResponse:
            nonlocal received
            before = received
            received += len(request.interactions)
            return await self._ingest(request, before)

        async for response in _in_order(requests, work):
            yield response

    async def _ingest(self, request: pb.IngestInteractionsRequest, before: int) -> pb.IngestInteractionsResponse:
        """One message of a bulk load, `before` items of which came with the messages before it."""
        response = pb.IngestInteractionsResponse(acknowledged=before + len(request.interactions))
        good: list[tuple[int, pb.Interaction]] = []
        refused = check_rows(request, "interactions")
        for place, entry in enumerate(request.interactions):
            if place in refused:
                response.errors.append(row_error(before + 1 + place, refused[place]))
            else:
                good.append((before + 1 + place, entry))
        outcomes = await self._usecases.ingest([entry for _, entry in good])
        for (row, _entry), outcome in zip(good, outcomes, strict=True):
            if outcome is Outcome.CREATED:
                response.created += 1
            elif isinstance(outcome, Outcome):
                response.duplicates += 1
            else:
                response.errors.append(row_error(row, outcome))
        response.errors.sort(key=lambda error: error.row)
        return response


async def _in_order(
    requests: AsyncIterator[pb.IngestInteractionsRequest],
    work: Callable[[pb.IngestInteractionsRequest], Awaitable[pb.IngestInteractionsResponse]],
) -> AsyncIterator[pb.IngestInteractionsResponse]:
    """The answers of `work` to `requests`, in order, each as soon as it is there; `AHEAD` under way at a time."""
    slots = asyncio.Semaphore(AHEAD)
    started: asyncio.Queue[asyncio.Task[pb.IngestInteractionsResponse] | None] = asyncio.Queue()
    running: set[asyncio.Task[Any]] = set()

    async def read() -> None:
        async for request in requests:
            await slots.acquire()
            task = asyncio.ensure_future(work(request))
            running.add(task)
            started.put_nowait(task)

    reader = asyncio.create_task(read())
    reader.add_done_callback(lambda _: started.put_nowait(None))
    try:
        while (task := await started.get()) is not None:
            response = await task
            running.discard(task)
            slots.release()
            yield response
        await reader
    finally:
        # The client left, or a message failed: nobody will hear of what is still under way.
        await end([reader, *running])
