"""The mesh as a client sees it: every service through the edge, with a token of the instance's issuer."""

import asyncio
import json
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import grpc
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.duplicates_pb2_grpc import DuplicatesServiceStub
from holdfast.customer_info.v1.hierarchy_pb2_grpc import HierarchyServiceStub
from holdfast.customer_info.v1.history_pb2_grpc import HistoryServiceStub
from holdfast.customer_info.v1.loads_pb2_grpc import LoadsServiceStub
from holdfast.customer_info.v1.merges_pb2_grpc import MergesServiceStub
from holdfast.customer_info.v1.portfolio_pb2_grpc import PortfolioServiceStub
from holdfast.customer_info.v1.privacy_pb2_grpc import PrivacyServiceStub
from holdfast.customer_info.v1.responsibilities_pb2_grpc import ResponsibilitiesServiceStub
from holdfast.customer_info.v1.search_pb2_grpc import SearchServiceStub
from holdfast.gateway.v1.experience_pb2_grpc import ExperienceServiceStub
from holdfast.gateway.v1.privacy_pb2_grpc import PrivacyServiceStub as ExportServiceStub
from holdfast.interaction.v1.interactions_pb2_grpc import InteractionsServiceStub
from holdfast.interaction.v1.tickets_pb2_grpc import TicketsServiceStub
from holdfast.retention.v1.features_pb2_grpc import FeaturesServiceStub
from holdfast.retention.v1.models_pb2_grpc import ModelsServiceStub
from holdfast.retention.v1.scores_pb2_grpc import ScoresServiceStub
from holdfast.sla.v1.agreements_pb2_grpc import AgreementsServiceStub
from holdfast.sla.v1.clocks_pb2_grpc import ClocksServiceStub
from holdfast.sla.v1.measurements_pb2_grpc import MeasurementsServiceStub

from chassis.errors import reason_of
from cli.console import CommandError

if TYPE_CHECKING:
    from cli.mesh.mesh import Mesh

CALL_SECONDS: Final = 15.0
"""Deadline of one call."""
BULK_SECONDS: Final = 120.0
"""Deadline of one stream of a bulk load of some thousand rows."""
TRAIN_SECONDS: Final = 1_800.0
"""Deadline of a training."""

T = TypeVar("T")

_SERVICE_CONFIG: Final = json.dumps(
    {
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.1s",
                    "maxBackoff": "1s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
    }
)


class Client:
    """Stubs of all services on one channel. `metadata` goes with every call: it carries the token.

    Args:
        target: `host:port` of the edge.
        token: bearer token.
        certificate: PEM certificate of an edge that speaks TLS.
    """

    def __init__(self, target: str, token: str, certificate: Path | None = None) -> None:
        # A proxy set for the web must not get in between.
        options = [("grpc.enable_http_proxy", 0), ("grpc.service_config", _SERVICE_CONFIG)]
        self.target = target
        self.metadata: Final = (("authorization", f"Bearer {token}"),)
        self.channel = (
            grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(certificate.read_bytes()), options)
            if certificate
            else grpc.aio.insecure_channel(target, options)
        )
        self.customers = CustomersServiceStub(self.channel)
        self.duplicates = DuplicatesServiceStub(self.channel)
        self.hierarchy = HierarchyServiceStub(self.channel)
        self.history = HistoryServiceStub(self.channel)
        self.merges = MergesServiceStub(self.channel)
        self.privacy = PrivacyServiceStub(self.channel)
        self.privacy_export = ExportServiceStub(self.channel)
        self.responsibilities = ResponsibilitiesServiceStub(self.channel)
        self.search = SearchServiceStub(self.channel)
        self.loads = LoadsServiceStub(self.channel)
        self.portfolio = PortfolioServiceStub(self.channel)
        self.interactions = InteractionsServiceStub(self.channel)
        self.tickets = TicketsServiceStub(self.channel)
        self.agreements = AgreementsServiceStub(self.channel)
        self.clocks = ClocksServiceStub(self.channel)
        self.measurements = MeasurementsServiceStub(self.channel)
        self.features = FeaturesServiceStub(self.channel)
        self.models = ModelsServiceStub(self.channel)
        self.scores = ScoresServiceStub(self.channel)
        self.experience = ExperienceServiceStub(self.channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.channel.close()


def client_of(mesh: "Mesh", role: str) -> Client:
    """A client of a mesh on this machine, in that role, with a token for an hour.

    Raises:
        CommandError: there is no such mesh, or it was never up.
    """
    state = mesh.state
    if not state.base:
        raise CommandError("the mesh was never started: run `holdfast up`")
    certificate = Path(state.edge.tls_certificate) if state.edge.tls_certificate else None
    return Client(mesh.address("edge"), mesh.token(role, "holdfast-cli"), certificate)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do the work; a refusal of the mesh becomes one line for the user.

    Raises:
        CommandError: a call failed.
    """
    with explained():
        return asyncio.run(work)


@contextmanager
def explained() -> Iterator[None]:
    """Turns a failed call into a CommandError of one line."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise CommandError(explanation(error)) from None


def explanation(error: grpc.aio.AioRpcError) -> str:
    """What a failed call says to the user."""
    code, reason = error.code(), reason_of(error)
    if code is grpc.StatusCode.UNAVAILABLE:
        return "the mesh does not answer: run `holdfast up` (`holdfast status` tells which part of it is down)"
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return "the mesh did not answer in time: `holdfast status` and `holdfast logs` tell why"
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return "the mesh does not know this call: it runs another version; run `holdfast down`, then `holdfast up`"
    said = error.details() or "refused without a word"
    return said if reason in (code.name, "NOT_FOUND") else f"{said} ({reason})"
