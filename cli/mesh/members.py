"""The members of a mesh: what each is started with. The order of ORDER is the order of starting."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cli.mesh.instance import Instance
from cli.mesh.issuer import AUDIENCE, ISSUER
from cli.mesh.mongod import DATABASES
from cli.mesh.ports import LOOPBACK
from cli.mesh.process import MARK
from cli.mesh.state import EdgeOptions
from gateway.edge.settings import Address, EdgeSettings, Identity, RateLimit, Tls

SERVICES: Final = ("customer_info", "interaction", "retention", "sla")
# The keys of customers lie apart from what they seal.
DATABASES_OF: Final = {"customer_info": ("customer_info", "customer_info_keys")}
PYTHON_MEMBERS: Final = (*SERVICES, "gateway")
ORDER: Final = ("mongod", *PYTHON_MEMBERS, "edge")
ROOT: Final = Path(__file__).resolve().parents[2]


def _module(member: str) -> list[str]:
    return [sys.executable, "-m", member if member == "gateway" else f"services.{member}"]


@dataclass(frozen=True, slots=True)
class Programs:
    """What runs as a service, and which API the edge shows; tests of the platform put their own here."""

    service: Callable[[str], list[str]] = _module
    descriptors: Path = field(default=ROOT / "gen" / "holdfast.binpb")


def address(ports: Mapping[str, int], name: str) -> str:
    return f"{LOOPBACK}:{ports[name]}"


def ports_of(member: str) -> tuple[str, ...]:
    """Names in the table of ports that a member listens on."""
    if member == "mongod":
        return ("mongod",)
    return ("edge", "edge-admin") if member == "edge" else (member, f"{member}-metrics")


def mongo_uri_setting(database: str) -> str:
    return f"HOLDFAST_{database.upper()}_MONGO_URI"


def external_uris() -> dict[str, str]:
    """Databases elsewhere that the user's environment names; with all of them no local mongod is started."""
    settings = {database: os.environ.get(mongo_uri_setting(database), "") for database in DATABASES}
    return {database: uri for database, uri in settings.items() if uri}


def base_environment(instance: Instance) -> dict[str, str]:
    """The user's environment without other members' database passwords, marked as this instance's."""
    secret = {mongo_uri_setting(database) for database in DATABASES}
    inherited = {name: value for name, value in os.environ.items() if name not in secret}
    return {**inherited, MARK: str(instance.data)}


def service_environment(
    member: str, instance: Instance, ports: Mapping[str, int], uris: Mapping[str, str]
) -> dict[str, str]:
    """Settings of a Python member; each gets its own databases only."""
    environment = base_environment(instance)
    paths = [str(ROOT), str(ROOT / "gen"), environment.get("PYTHONPATH", "")]
    environment |= {
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "HOLDFAST_LISTEN": address(ports, member),
        "HOLDFAST_JWKS": str(instance.jwks),
        "HOLDFAST_JWT_ISSUER": ISSUER,
        "HOLDFAST_JWT_AUDIENCE": AUDIENCE,
        "HOLDFAST_TOKEN_FILE": str(instance.token(member)),
        **{f"HOLDFAST_{service.upper()}_TARGET": address(ports, service) for service in SERVICES},
    }
    # Set and empty is the user's way of turning metrics off.
    if os.environ.get("HOLDFAST_METRICS_LISTEN") != "":
        environment["HOLDFAST_METRICS_LISTEN"] = address(ports, f"{member}-metrics")
    for database in DATABASES_OF.get(member, (member,)):
        if database in uris:
            environment[mongo_uri_setting(database)] = uris[database]
    if member == "customer_info":
        environment.setdefault("HOLDFAST_CUSTOMER_INFO_MASTER_KEY", str(instance.master_key))
    return environment


def edge_settings(
    instance: Instance, ports: Mapping[str, int], options: EdgeOptions, descriptors: Path
) -> EdgeSettings:
    """The edge of this instance. Raises EdgeError when an option is unusable."""
    tls = Tls(Path(options.tls_certificate), Path(options.tls_key)) if options.tls_certificate else None
    return EdgeSettings(
        listen=Address(LOOPBACK, ports["edge"]),
        admin=Address(LOOPBACK, ports["edge-admin"]),
        upstreams={name: Address(LOOPBACK, ports[name]) for name in PYTHON_MEMBERS},
        identity=Identity(str(instance.jwks), ISSUER, AUDIENCE),
        descriptors=descriptors,
        tls=tls,
        allowed_origins=options.allowed_origins,
        rate_limit=RateLimit(options.rate_per_second, 2 * options.rate_per_second),
    )
