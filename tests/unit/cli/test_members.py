"""What each member is started with."""

from pathlib import Path

import pytest

from cli.mesh.instance import Instance
from cli.mesh.members import ORDER, PYTHON_MEMBERS, ports_of, service_environment
from cli.mesh.ports import TABLE, from_base

URIS = {name: f"mongodb://{name}" for name in ("customer_info", "interaction", "retention", "sla")}


def environment(member: str) -> dict[str, str]:
    return service_environment(member, Instance(Path("/data")), from_base(7400), URIS)


@pytest.mark.parametrize("member", PYTHON_MEMBERS)
def test_a_service_gets_its_own_database_and_no_other(member: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_SLA_MONGO_URI", "mongodb://elsewhere")
    own = {name for name in environment(member) if name.endswith("_MONGO_URI")}
    assert own == ({f"HOLDFAST_{member.upper()}_MONGO_URI"} if member in URIS else set())


def test_a_service_is_told_where_to_listen_whom_to_call_and_whom_to_believe() -> None:
    told = environment("sla")
    assert told["HOLDFAST_LISTEN"] == "127.0.0.1:7414"
    assert told["HOLDFAST_METRICS_LISTEN"] == "127.0.0.1:7424"
    assert told["HOLDFAST_RETENTION_TARGET"] == "127.0.0.1:7413"
    assert told["HOLDFAST_TOKEN_FILE"] == "/data/tokens/sla.jwt"
    assert (told["HOLDFAST_JWKS"], told["HOLDFAST_JWT_AUDIENCE"]) == ("/data/jwks.json", "holdfast")


def test_an_empty_setting_turns_metrics_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_METRICS_LISTEN", "")
    assert environment("sla")["HOLDFAST_METRICS_LISTEN"] == ""


def test_settings_of_the_user_reach_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_LOG_LEVEL", "debug")
    assert environment("sla")["HOLDFAST_LOG_LEVEL"] == "debug"


def test_the_members_use_every_port_of_the_table() -> None:
    assert {name for member in ORDER for name in ports_of(member)} == {port.name for port in TABLE}
