"""Settings: read once, checked at start, and named when they are wrong."""

import os
import subprocess
import sys

import pytest

from chassis.settings import MongoUri, Settings, load

GOOD = {"HOLDFAST_LISTEN": "127.0.0.1:4000", "HOLDFAST_JWKS": "keys.json", "HOLDFAST_JWT_ISSUER": "https://issuer"}


class ServiceSettings(Settings):
    """What a service adds."""

    sla_mongo_uri: MongoUri


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("HOLDFAST_")]:
        monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def refusal(kind: type[Settings], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line with which the process ends."""
    with pytest.raises(SystemExit) as ended:
        load(kind)
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    return str(line)


def test_what_is_not_told_has_its_default() -> None:
    settings = load(Settings)
    assert (settings.listen, settings.workers, settings.max_in_flight) == ("127.0.0.1:4000", 1, 512)
    assert (settings.mongo_driver, settings.jwt_audience, settings.metrics_listen) == ("pymongo", "holdfast", "")


def test_settings_do_not_change_while_the_process_lives() -> None:
    settings = load(Settings)
    with pytest.raises(ValueError, match="frozen"):
        settings.workers = 2


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_missing_setting_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(name)
    assert refusal(Settings, capsys) == f"holdfast: setting {name}: is not set"


def test_a_setting_of_the_service_is_named_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(ServiceSettings, capsys) == "holdfast: setting HOLDFAST_SLA_MONGO_URI: is not set"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOLDFAST_LISTEN", "4000"),
        ("HOLDFAST_LISTEN", "127.0.0.1:"),
        ("HOLDFAST_LISTEN", "127.0.0.1:65536"),
        ("HOLDFAST_LISTEN", ":4000"),
        ("HOLDFAST_WORKERS", "0"),
        ("HOLDFAST_WORKERS", "two"),
        ("HOLDFAST_MAX_IN_FLIGHT", "-5"),
        ("HOLDFAST_JWT_ISSUER", ""),
        ("HOLDFAST_MONGO_DRIVER", "mongoengine"),
        ("HOLDFAST_METRICS_LISTEN", "9090"),
        ("HOLDFAST_TRACE_SAMPLE_RATIO", "1.5"),
        ("HOLDFAST_LOG_LEVEL", "loud"),
        ("HOLDFAST_DRAIN_SECONDS", "-1"),
    ],
)
def test_a_malformed_setting_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert refusal(Settings, capsys).startswith(f"holdfast: setting {name}: ")


@pytest.mark.parametrize("uri", ["http://host/sla", "mongodb://user:s3cret@host", "mongodb://user:s3cret@host/?w=1"])
def test_a_store_without_a_database_is_refused_without_its_password(
    uri: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOLDFAST_SLA_MONGO_URI", uri)
    line = refusal(ServiceSettings, capsys)
    assert line.startswith("holdfast: setting HOLDFAST_SLA_MONGO_URI: must ")
    assert "s3cret" not in line


def test_every_wrong_setting_gets_a_line_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HOLDFAST_JWKS")
    monkeypatch.setenv("HOLDFAST_WORKERS", "none")
    with pytest.raises(SystemExit):
        load(Settings)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("holdfast: setting HOLDFAST_") for line in lines)


def test_a_process_with_a_wrong_setting_ends_with_one_line_and_code_two() -> None:
    environment = {
        **GOOD,
        "HOLDFAST_CUSTOMER_INFO_MONGO_URI": "mongodb://user:s3cret@host",
        "HOLDFAST_CUSTOMER_INFO_KEYS_MONGO_URI": "mongodb://user:s3cret@host/keys",
        "HOLDFAST_CUSTOMER_INFO_MASTER_KEY": "/nowhere",
    }
    command = [sys.executable, "-m", "services.customer_info"]
    ended = subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (2, "")
    wrong = "must name a database in its path"
    assert ended.stderr == f"holdfast: setting HOLDFAST_CUSTOMER_INFO_MONGO_URI: {wrong}\n"
