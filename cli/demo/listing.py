"""Reading whole lists of the mesh, page by page."""

from collections.abc import AsyncIterator, Mapping
from typing import Final

from holdfast.common.v1.query_pb2 import Order, PageRequest, Predicate, Query
from holdfast.retention.v1.scores_pb2 import ListScoresRequest, Score
from holdfast.sla.v1.agreements_pb2 import ListAgreementsRequest
from holdfast.sla.v1.clocks_pb2 import Clock, ListClocksRequest

from cli.client import CALL_SECONDS, Client

PAGE: Final = 1_000


async def agreement_versions(client: Client) -> Mapping[str, int]:
    """The newest version of each agreement, by id."""
    found, query = dict[str, int](), _query()
    while True:
        request = ListAgreementsRequest(query=query)
        answer = await client.agreements.ListAgreements(request, metadata=client.metadata, timeout=CALL_SECONDS)
        found.update((one.id, one.version) for one in answer.agreements)
        if not _turn(query, answer.page.next_page_token):
            return found


async def clocks(client: Client, field: str, value: str) -> list[Clock]:
    """The clocks of one customer or ticket."""
    found, query = list[Clock](), _query(field, value)
    while True:
        request = ListClocksRequest(query=query)
        answer = await client.clocks.ListClocks(request, metadata=client.metadata, timeout=CALL_SECONDS)
        found.extend(answer.clocks)
        if not _turn(query, answer.page.next_page_token):
            return found


async def scores(client: Client) -> AsyncIterator[Score]:
    """All stored scores, those most at risk first."""
    query = _query()
    query.order.append(Order(field="probability", descending=True))
    while True:
        request = ListScoresRequest(query=query)
        answer = await client.scores.ListScores(request, metadata=client.metadata, timeout=CALL_SECONDS)
        for score in answer.scores:
            yield score
        if not _turn(query, answer.page.next_page_token):
            return


def _query(field: str = "", *values: str) -> Query:
    predicates = [Predicate(field=field, values=values)] if field else []
    return Query(predicates=predicates, page=PageRequest(page_size=PAGE))


def _turn(query: Query, token: str) -> bool:
    query.page.page_token = token
    return bool(token)
