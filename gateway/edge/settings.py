"""What an edge is told: addresses, identity, limits. Everything else about it is decided by this package."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SERVICES = ("customer_info", "interaction", "retention", "sla", "gateway")
"""Clusters of the mesh. Each owns the gRPC path prefix `/holdfast.<name>.v1.`."""

MIB = 1024 * 1024


class EdgeError(Exception):
    """The edge cannot be configured; the text is one line for the user and names the setting."""


@dataclass(frozen=True, slots=True)
class Address:
    """A host (name or IP address) and a TCP port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str, setting: str) -> "Address":
        """Read `host:port`. Raises EdgeError, naming `setting`, when it is anything else."""
        host, _, port = text.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise EdgeError(f"{setting} must be host:port, not {text!r}")
        return cls(host.strip("[]"), int(port))


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files of the certificate chain and its key. Without them the edge speaks cleartext."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose tokens are accepted. `jwks` is a file path or an http(s) URL."""

    jwks: str
    issuer: str
    audience: str


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A token bucket shared by all callers of one edge: `burst` calls at once, refilled at `per_second`."""

    per_second: int = 5_000
    burst: int = 10_000


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. A caller's own `grpc-timeout` replaces `unary`, up to `longest_unary`."""

    unary: float = 15.0
    longest_unary: float = 60.0
    per_try: float = 5.0
    connect: float = 1.0
    health_interval: float = 1.0


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """Everything the configuration is generated from.

    `upstreams` has one address for each of SERVICES. `descriptors` is a FileDescriptorSet with imports.
    `allowed_origins` are the browser origins that may call with gRPC-Web or REST; exact, none by default.
    `max_body_bytes` bounds REST bodies; it equals gRPC's own default limit of a message.
    """

    listen: Address
    admin: Address
    upstreams: Mapping[str, Address]
    identity: Identity
    descriptors: Path
    tls: Tls | None = None
    allowed_origins: tuple[str, ...] = ()
    rate_limit: RateLimit = field(default_factory=RateLimit)
    timeouts: Timeouts = field(default_factory=Timeouts)
    max_body_bytes: int = 4 * MIB
    max_connections: int = 10_000

    def __post_init__(self) -> None:
        missing = [name for name in SERVICES if name not in self.upstreams]
        if missing:
            raise EdgeError(f"upstreams lacks an address for {', '.join(missing)}")
        if self.admin.host not in ("127.0.0.1", "::1", "localhost"):
            raise EdgeError(f"admin must listen on loopback, not on {self.admin.host}: it has no authentication")
        if self.rate_limit.per_second < 1 or self.rate_limit.burst < self.rate_limit.per_second:
            raise EdgeError("rate_limit needs per_second >= 1 and burst >= per_second")
        for pem in (self.tls.certificate, self.tls.key) if self.tls else ():
            if not pem.is_file():
                raise EdgeError(f"tls names the file {pem}, which does not exist")
