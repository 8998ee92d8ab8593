"""The generated Envoy configuration, judged by Envoy itself and by its content."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.mesh.instance import Instance, prepare
from cli.mesh.issuer import Issuer
from gateway.edge import envoy
from gateway.edge.bootstrap import bootstrap, render
from gateway.edge.descriptors import read_api
from gateway.edge.settings import SERVICES, Address, EdgeError, EdgeSettings, Identity, RateLimit, Timeouts, Tls
from tests.support import sample_api

HCM = "envoy.filters.network.http_connection_manager"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("edge")
    instance = Instance(made / "mesh")
    prepare(instance)
    Issuer(instance)
    instance.jwks.rename(made / "jwks.json")
    sample_api.write_descriptors(made)
    return made


@pytest.fixture
def settings(folder: Path) -> EdgeSettings:
    return EdgeSettings(
        listen=Address("127.0.0.1", 7400),
        admin=Address("127.0.0.1", 7401),
        upstreams={name: Address("127.0.0.1", 7410 + place) for place, name in enumerate(SERVICES)},
        identity=Identity(str(folder / "jwks.json"), "https://issuer.example", "holdfast"),
        descriptors=folder / "sample.binpb",
    )


def manager(settings: EdgeSettings) -> dict[str, Any]:
    listener = bootstrap(settings)["static_resources"]["listeners"][0]
    configured: dict[str, Any] = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return configured


def routes(settings: EdgeSettings) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = manager(settings)["route_config"]["virtual_hosts"][0]["routes"]
    return found


def route(settings: EdgeSettings, name: str) -> dict[str, Any]:
    return next(one for one in routes(settings) if one["name"] == name)


def validated(settings: EdgeSettings, folder: Path) -> None:
    config = folder / "edge.json"
    config.write_text(render(settings))
    envoy.validate(envoy.binary(), config)


def test_envoy_accepts_the_plain_configuration(settings: EdgeSettings, folder: Path) -> None:
    validated(settings, folder)


def test_envoy_accepts_tls(settings: EdgeSettings, folder: Path) -> None:
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    make = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {certificate} -days 2 -subj /CN=edge"
    subprocess.run(make.split(), check=True, capture_output=True)
    validated(replace(settings, tls=Tls(certificate, key)), folder)


@pytest.mark.parametrize("jwks", ["https://issuer.example/keys", "http://127.0.0.1:8080/keys"])
def test_envoy_accepts_a_remote_key_set(settings: EdgeSettings, folder: Path, jwks: str) -> None:
    validated(replace(settings, identity=replace(settings.identity, jwks=jwks)), folder)


def test_envoy_accepts_names_for_services_browsers_and_odd_limits(settings: EdgeSettings, folder: Path) -> None:
    upstreams = {name: Address(f"{name}.mesh.svc", 443) for name in SERVICES}
    odd = replace(settings, upstreams=upstreams, allowed_origins=("https://a.example",), rate_limit=RateLimit(3, 7))
    validated(replace(odd, timeouts=Timeouts(unary=0.25, longest_unary=1.0)), folder)


def test_envoys_own_reason_is_one_line(settings: EdgeSettings, folder: Path) -> None:
    broken = bootstrap(settings)
    broken["static_resources"]["clusters"].pop()
    config = folder / "broken.json"
    config.write_text(json.dumps(broken))
    with pytest.raises(EdgeError, match="unknown cluster 'gateway'") as refused:
        envoy.validate(envoy.binary(), config)
    assert "\n" not in str(refused.value)


def test_the_same_settings_give_the_same_text(settings: EdgeSettings) -> None:
    assert render(settings) == render(settings)


def test_filters_stand_in_the_order_of_the_policy(settings: EdgeSettings, folder: Path) -> None:
    names = [one["name"].removeprefix("envoy.filters.http.") for one in manager(settings)["http_filters"]]
    assert names == [
        "cors",
        "jwt_authn",
        "local_ratelimit",
        "grpc_web",
        "buffer",
        "lua",
        "grpc_json_transcoder",
        "router",
    ]


def test_every_path_but_health_needs_a_token(settings: EdgeSettings) -> None:
    rules = manager(settings)["http_filters"][1]["typed_config"]["rules"]
    assert [rule["match"] for rule in rules if "requires" not in rule] == [{"path": "/healthz"}, {"path": "/readyz"}]
    assert rules[-1] == {"match": {"prefix": "/"}, "requires": {"provider_name": "holdfast"}}


@pytest.mark.parametrize("method", ["Watch", "Load"])
def test_a_stream_has_no_time_limit_but_the_callers(settings: EdgeSettings, method: str) -> None:
    action = route(settings, f"stream holdfast.sla.v1.Notes/{method}")["route"]
    assert action["timeout"] == action["idle_timeout"] == "0s"
    assert action["max_stream_duration"]["grpc_timeout_header_max"] == "0s"
    assert "retry_policy" not in action


@pytest.mark.parametrize("method", ["Read", "GetNote"])
def test_a_read_is_retried_on_any_failure_to_answer(settings: EdgeSettings, method: str) -> None:
    policy = route(settings, f"read holdfast.sla.v1.Notes/{method}")["route"]["retry_policy"]
    assert set(policy["retry_on"].split(",")) == {"connect-failure", "refused-stream", "unavailable", "reset"}
    assert (policy["num_retries"], policy["per_try_timeout"]) == (2, "5s")


def test_a_write_is_retried_only_when_it_cannot_have_arrived(settings: EdgeSettings) -> None:
    policy = route(settings, "sla")["route"]["retry_policy"]
    assert set(policy["retry_on"].split(",")) == {"connect-failure", "refused-stream"}


def test_exact_paths_come_before_the_prefix_of_their_service(settings: EdgeSettings) -> None:
    names = [one["name"] for one in routes(settings)]
    exact = [place for place, name in enumerate(names) if name.startswith(("stream ", "read "))]
    assert max(exact) < min(names.index(name) for name in SERVICES)
    assert names[-1] == "nothing here"


def test_the_access_log_has_no_field_that_tells_of_a_person(settings: EdgeSettings) -> None:
    text = json.dumps(manager(settings)["access_log"])
    for personal in ("AUTHORIZATION", "USER-AGENT", "FORWARDED", "REMOTE_ADDRESS", "ORIGINAL-PATH", "%PATH"):
        assert personal not in text.upper()


def test_the_admin_interface_may_not_leave_loopback(settings: EdgeSettings) -> None:
    with pytest.raises(EdgeError, match=r"admin must listen on loopback, not on 0\.0\.0\.0"):
        replace(settings, admin=Address("0.0.0.0", 7401))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"upstreams": {}}, "upstreams lacks an address for customer_info, interaction"),
        ({"rate_limit": RateLimit(10, 5)}, "rate_limit needs"),
        ({"tls": Tls(Path("/no/cert"), Path("/no/key"))}, "tls names the file /no/cert"),
    ],
)
def test_unusable_settings_are_refused_by_name(settings: EdgeSettings, change: dict[str, Any], words: str) -> None:
    with pytest.raises(EdgeError, match=words):
        replace(settings, **change)


@pytest.mark.parametrize("text", ["", "host", "host:", ":1", "host:0", "host:70000", "host:x"])
def test_an_address_is_a_host_and_a_port(text: str) -> None:
    with pytest.raises(EdgeError, match="HOLDFAST_X must be host:port"):
        Address.parse(text, "HOLDFAST_X")


def no_file(folder: Path) -> Path:
    return folder / "none.binpb"


def no_descriptors(folder: Path) -> Path:
    path = folder / "bad.binpb"
    path.write_bytes(b"\xff\xff\xff")
    return path


def no_services(folder: Path) -> Path:
    path = folder / "empty.binpb"
    path.write_bytes(b"")
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (no_file, "is missing"),
        (no_descriptors, "is not a protobuf descriptor set"),
        (no_services, "describes no service"),
    ],
)
def test_without_usable_contracts_the_message_tells_how_to_make_them(
    folder: Path, make: Callable[[Path], Path], words: str
) -> None:
    with pytest.raises(EdgeError, match=f"{words}.*make gen"):
        read_api(make(folder))


def test_the_types_of_error_details_are_added_to_the_contracts(folder: Path) -> None:
    assert b"google/rpc/error_details.proto" in read_api(folder / "sample.binpb").descriptor_set


def test_a_missing_envoy_is_named_by_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(envoy.OVERRIDE, "/no/envoy")
    with pytest.raises(EdgeError, match="HOLDFAST_ENVOY names /no/envoy, which does not exist"):
        envoy.binary()
