"""The whole demonstration: load, wait, train, and find the customer most at risk."""

from collections.abc import Mapping
from dataclasses import dataclass

import grpc
from holdfast.gateway.v1.experience_pb2 import GetCustomer360Request, GetCustomer360Response
from holdfast.retention.v1.models_pb2 import GetModelRequest, Model
from holdfast.retention.v1.scores_pb2 import Score

from cli.client import CALL_SECONDS, Client
from cli.console import CommandError
from cli.demo import digesting, expecting, loading
from cli.demo.operator import Operator, generate, today
from cli.demo.training import train
from cli.importing.bars import Bars
from cli.importing.bulk import Tally


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of it. `late` customers were not known in full to retention when the model was trained."""

    tallies: Mapping[str, Tally]
    model: Model
    trained: bool
    late: int
    story: GetCustomer360Response


async def show(client: Client, seed: int, customers: int, bars: Bars) -> Shown:
    """Load the operator of the seed, train if anything changed, and read the story of the customer most at risk.

    Raises:
        CommandError: the mesh refused rows, or scored nobody.
        grpc.aio.AioRpcError: a call failed.
    """
    as_of = await loading.present_of(client, seed, customers) or today()
    bar = bars.task("making up the operator", customers)
    operator = generate(seed, customers, as_of, bar.done)
    tallies = await loading.load(client, operator, bars)
    _refuse_failures(tallies)
    expected = expecting.expectations(operator)
    late = await digesting.heard(client, expected, as_of, bars.task("retention hears of it", len(expected)))
    champion = await _champion(client)
    changed = any(tally.changed for tally in tallies.values())
    reuse = champion is not None and not changed and champion.figures.rows >= len(operator.outcomes)
    model = champion if champion and reuse else await train(client, bars, promote=True)
    story = await _most_at_risk(client, operator, model, bars)
    return Shown(tallies, model, not reuse, late, story)


async def _most_at_risk(client: Client, operator: Operator, model: Model, bars: Bars) -> GetCustomer360Response:
    present = {one.id for one in operator.customers} - set(operator.departures)
    scores: list[Score] = await digesting.scored(client, model.id, present, bars.task("scores", len(present)))
    if not scores:
        raise CommandError("retention has scored nobody yet: `holdfast logs retention` tells why")
    request = GetCustomer360Request(customer_id=scores[0].customer_id)
    return await client.experience.GetCustomer360(request, metadata=client.metadata, timeout=CALL_SECONDS)


async def _champion(client: Client) -> Model | None:
    request = GetModelRequest(model_id="champion")
    try:
        return (await client.models.GetModel(request, metadata=client.metadata, timeout=CALL_SECONDS)).model
    except grpc.aio.AioRpcError as error:
        if error.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION):
            return None
        raise


def _refuse_failures(tallies: Mapping[str, Tally]) -> None:
    for name, tally in tallies.items():
        if tally.failed:
            first = tally.errors[0]
            field = f"{first.field}: " if first.field else ""
            raise CommandError(
                f"the mesh refused {tally.failed} of {tally.received} {name}; the first: "
                f"row {first.row}: {field}{first.message} ({first.reason})"
            )
