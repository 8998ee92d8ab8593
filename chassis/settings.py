"""Settings of a process: read from the environment, checked once at start, frozen after.

Every variable begins with HOLDFAST_. A missing or malformed one ends the process with one line that names it.
"""

import sys
from typing import Annotated, Literal, NoReturn, TypeVar

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "HOLDFAST_"
S = TypeVar("S", bound=BaseSettings)


def _host_and_port(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if not (host and colon and port.isdigit() and int(port) < 65536):
        raise ValueError('must be "host:port"')
    return value


def _address_or_nothing(value: str) -> str:
    return _host_and_port(value) if value else value


def _mongo_uri(value: str) -> str:
    if not value.startswith(("mongodb://", "mongodb+srv://")):
        raise ValueError('must begin with "mongodb://" or "mongodb+srv://"')
    path = value.split("://", 1)[1].partition("/")[2].partition("?")[0]
    if not path:
        raise ValueError("must name a database in its path")
    return value


Address = Annotated[str, AfterValidator(_host_and_port)]
OptionalAddress = Annotated[str, AfterValidator(_address_or_nothing)]
MongoUri = Annotated[str, AfterValidator(_mongo_uri)]


class Settings(BaseSettings):
    """What every process of the mesh is told; services add their own."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    listen: Address = Field(description="Where the gRPC server listens, host:port.")
    workers: int = Field(1, ge=1, le=64, description="Processes that share the listening port.")
    max_in_flight: int = Field(512, ge=1, description="Calls one process serves at once; more are refused at once.")
    max_message_bytes: int = Field(4 * 1024 * 1024, ge=1024, description="Largest message taken or sent.")
    default_deadline_seconds: float = Field(15.0, gt=0, description="Deadline of a unary call that comes without one.")
    drain_seconds: float = Field(5.0, ge=0, description="How long calls in flight may take after SIGTERM.")
    drain_delay_seconds: float = Field(
        0.0, ge=0, description="How long to answer NOT_SERVING before the port closes, for load balancers to notice."
    )
    jwks: str = Field(description="Public keys of the token issuer: path of a JWKS file, or its http(s) URL.")
    jwt_issuer: str = Field(min_length=1, description="The `iss` claim a token must carry.")
    jwt_audience: str = Field("holdfast", min_length=1, description="The `aud` claim a token must carry.")
    token_file: str = Field("", description="File with this process's own bearer token; read again when it changes.")
    mongo_driver: Literal["pymongo", "motor"] = Field("pymongo", description="Which driver opens the store.")
    mongo_timeout_seconds: float = Field(10.0, gt=0, description="Bound of a store operation no deadline bounds.")
    metrics_listen: OptionalAddress = Field("", description="Where to serve Prometheus text, host:port; empty: off.")
    otlp_endpoint: str = Field("", description="OTLP/HTTP collector, such as http://127.0.0.1:4318; empty: off.")
    trace_sample_ratio: float = Field(0.01, ge=0, le=1, description="Share of traces kept, where no caller decided.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severity logged.")


def load(kind: type[S]) -> S:
    """Reads the settings `kind` from the environment.

    A missing or malformed one ends the process with exit code 2 and one line on standard error for each.
    """
    try:
        return kind()
    except ValidationError as refused:
        _exit(refused)


def _exit(refused: ValidationError) -> NoReturn:
    for error in refused.errors():
        name = PREFIX + "_".join(str(part) for part in error["loc"]).upper()
        what = "is not set" if error["type"] == "missing" else error["msg"].removeprefix("Value error, ")
        print(f"holdfast: setting {name}: {what}", file=sys.stderr)
    raise SystemExit(2)
