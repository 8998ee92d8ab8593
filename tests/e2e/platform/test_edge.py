"""The edge in front of real gRPC servers: tokens, REST, gRPC-Web, limits, deadlines, and what it logs."""

import collections
import json
import time
from collections.abc import Iterator

import grpc
import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cli.mesh.issuer import AUDIENCE, ISSUER, Issuer
from cli.mesh.state import EdgeOptions
from tests.support import sample_api
from tests.support.mesh import OPTIONS, ORIGIN, LiveMesh

MIB = 1024 * 1024
NOTE = sample_api.note_type("sla")


@pytest.fixture
def web(sample_mesh: LiveMesh) -> Iterator[httpx.Client]:
    """An HTTP client with an agent's token."""
    headers = dict(sample_mesh.bearer("agent"))
    with httpx.Client(base_url=sample_mesh.edge_url, headers=headers, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def channel(sample_mesh: LiveMesh) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(sample_mesh.edge, options=[("grpc.enable_retries", 0)]) as opened:
        yield opened


def note(**fields: object) -> bytes:
    return NOTE(**fields).SerializeToString()


def forged(claims: dict[str, object]) -> str:
    return jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), algorithm="ES256", headers={"kid": "x"})


def test_a_good_token_reaches_the_service_with_the_call(sample_mesh: LiveMesh, channel: grpc.Channel) -> None:
    for service in sample_mesh.services:
        write = sample_api.call(channel, f"{service}/Write")
        reply = NOTE.FromString(write(note(text="hello"), metadata=sample_mesh.bearer("agent"), timeout=10))
        assert 'text: "hello"' in str(reply)
        assert "token forwarded" in str(reply)


@pytest.mark.parametrize("kind", ["none", "expired", "audience", "issuer", "forged", "no expiry", "garbage"])
def test_a_token_that_is_not_good_is_refused_over_grpc_and_rest(
    sample_mesh: LiveMesh, channel: grpc.Channel, kind: str
) -> None:
    issuer = Issuer(sample_mesh.instance)
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "x", "exp": int(time.time()) + 600}
    token = {
        "none": "",
        "expired": issuer.token(["agent"], "x", ttl=-60),
        "audience": issuer.token(["agent"], "x", aud="other"),
        "issuer": issuer.token(["agent"], "x", iss="https://other.example"),
        "forged": forged(claims),
        "no expiry": issuer.token(["agent"], "x", exp=None),
        "garbage": "a.b.c",
    }[kind]
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    with pytest.raises(grpc.RpcError) as refused:
        sample_api.call(channel, "sla/Write")(b"", metadata=metadata, timeout=10)
    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
    reply = httpx.get(f"{sample_mesh.edge_url}/v1/sla/x", headers=dict(metadata), trust_env=False)
    assert (reply.status_code, reply.json()["reason"]) == (401, "UNAUTHENTICATED")


def test_a_token_in_the_query_does_not_count(sample_mesh: LiveMesh) -> None:
    url = f"{sample_mesh.edge_url}/v1/sla/x?access_token={sample_mesh.token('agent')}"
    assert httpx.get(url, trust_env=False).status_code == 401


def test_health_needs_no_token(sample_mesh: LiveMesh) -> None:
    for path in ("/healthz", "/readyz"):
        reply = httpx.get(sample_mesh.edge_url + path, trust_env=False)
        assert (reply.status_code, reply.json()) == (200, {"status": "SERVING"})


def test_rest_is_translated_with_camel_case_names(web: httpx.Client) -> None:
    reply = web.get("/v1/sla/hello", params={"howMany": 3})
    assert reply.json() == {"text": "hello", "howMany": 3, "caller": "token forwarded"}
    assert web.post("/v1/sla", json={"text": "x", "how_many": 4}).json()["howMany"] == 4


def test_an_error_of_the_service_arrives_with_its_details(web: httpx.Client) -> None:
    reply = web.get("/v1/sla/absent")
    detail = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "ABSENT", "domain": "sample"}
    assert (reply.status_code, reply.json()) == (404, {"code": 5, "message": "no such note", "details": [detail]})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"text":"a","bogus":1}', "unknown field bogus"),
        ('{"bo\\u0067us":1}', "unknown field bo"),
        ('{"text":', "Unexpected end"),
        ('{"howMany":"many"}', "how_many"),
        (b'{"text":"\xff\xfe"}', "UTF-8"),
        ("[" * 70 + "]" * 70, "nested more than 64 levels"),
    ],
)
def test_a_bad_body_is_refused_with_the_reason(web: httpx.Client, body: str | bytes, words: str) -> None:
    reply = web.post("/v1/sla", content=body)
    assert (reply.status_code, reply.json()["reason"]) == (400, "INVALID_ARGUMENT")
    assert words in reply.json()["message"]


def test_text_that_looks_like_fields_is_text(web: httpx.Client) -> None:
    text = '"},{"bogus":1,\\"x\\":[}'
    assert web.post("/v1/sla", json={"text": text}).json()["text"] == text


def test_an_unknown_query_parameter_is_refused_by_name(web: httpx.Client) -> None:
    reply = web.get("/v1/sla/x", params={"bogus": 1})
    assert reply.status_code == 400
    assert "bogus" in reply.json()["message"]


def test_a_path_of_nobody_is_not_found(web: httpx.Client) -> None:
    reply = web.get("/v1/nothing")
    assert (reply.status_code, reply.json()["code"], reply.json()["reason"]) == (404, 5, "NOT_FOUND")


def test_a_body_of_four_mebibytes_passes_and_a_larger_one_is_too_large(web: httpx.Client) -> None:
    frame = len('{"text":""}')
    assert web.post("/v1/sla", content=b'{"text":"' + b"a" * (4 * MIB - frame - 64) + b'"}').status_code == 200
    reply = web.post("/v1/sla", content=b'{"text":"' + b"a" * (4 * MIB) + b'"}')
    assert (reply.status_code, reply.json()["reason"]) == (413, "BODY_TOO_LARGE")


def test_a_grpc_message_over_four_mebibytes_is_resource_exhausted(sample_mesh: LiveMesh, channel: grpc.Channel) -> None:
    write = sample_api.call(channel, "sla/Write")
    with pytest.raises(grpc.RpcError) as refused:
        write(note(text="a" * 5 * MIB), metadata=sample_mesh.bearer("agent"), timeout=30)
    assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_streams_pass_both_ways(sample_mesh: LiveMesh, channel: grpc.Channel) -> None:
    bearer = sample_mesh.bearer("agent")
    watch: grpc.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream("/holdfast.sla.v1.Notes/Watch")
    assert len(list(watch(note(text="x"), metadata=bearer, timeout=10))) == 3
    load: grpc.StreamUnaryMultiCallable[bytes, bytes] = channel.stream_unary("/holdfast.sla.v1.Notes/Load")
    large = (note(text="a" * MIB) for _ in range(20))
    assert "how_many: 20" in str(NOTE.FromString(load(large, metadata=bearer, timeout=30)))


def test_the_callers_deadline_ends_a_slow_call(sample_mesh: LiveMesh) -> None:
    """Sent by hand: a gRPC client would give up by itself and prove nothing about the edge."""
    grpc_headers = {"content-type": "application/grpc", "te": "trailers", "grpc-timeout": "300m"}
    headers = {**dict(sample_mesh.bearer("agent")), **grpc_headers}
    body = b"\0\0\0\0\6" + note(text="slow")
    reply = httpx.post(
        f"{sample_mesh.edge_url}/holdfast.sla.v1.Notes/Write",
        headers=headers,
        content=body,
        trust_env=False,
        timeout=10,
    )
    assert reply.headers["grpc-status"] == str(grpc.StatusCode.DEADLINE_EXCEEDED.value[0])
    assert reply.elapsed.total_seconds() < 5


def test_a_browser_of_an_allowed_origin_may_call_over_grpc_web(web: httpx.Client) -> None:
    path, asks = "/holdfast.sla.v1.Notes/Write", {"access-control-request-method": "POST"}
    preflight = httpx.options(str(web.base_url) + path, headers={"origin": ORIGIN, **asks}, trust_env=False)
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    headers = {"origin": ORIGIN, "content-type": "application/grpc-web+proto"}
    reply = web.post(path, headers=headers, content=b"\0\0\0\0\4\n\2hi")
    assert reply.headers["access-control-allow-origin"] == ORIGIN
    assert b"token forwarded" in reply.content
    assert b"grpc-status:0" in reply.content


def test_a_preflight_of_another_origin_gets_no_permission_and_reaches_no_service(sample_mesh: LiveMesh) -> None:
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    reply = httpx.options(f"{sample_mesh.edge_url}/holdfast.sla.v1.Notes/Write", headers=headers, trust_env=False)
    assert "access-control-allow-origin" not in reply.headers
    assert "x-envoy-upstream-service-time" not in reply.headers
    assert reply.content == b""


def test_over_the_rate_a_caller_is_told_to_wait_and_health_still_answers(sample_mesh: LiveMesh) -> None:
    options = sample_mesh.state.edge
    sample_mesh.up(edge=EdgeOptions(rate_per_second=1), options=OPTIONS)
    try:
        with httpx.Client(base_url=sample_mesh.edge_url, trust_env=False) as client:
            headers = dict(sample_mesh.bearer("agent"))
            replies = [client.get("/v1/sla/x", headers=headers) for _ in range(6)]
            refused = replies[-1]
            assert (refused.status_code, refused.json()["reason"]) == (429, "RATE_LIMITED")
            assert {"x-ratelimit-limit", "x-ratelimit-remaining", "retry-after"} <= set(refused.headers)
            assert all(client.get("/healthz").status_code == 200 for _ in range(6))
        with grpc.insecure_channel(sample_mesh.edge) as channel:
            write = sample_api.call(channel, "sla/Write")
            with pytest.raises(grpc.RpcError) as exhausted:
                collections.deque((write(b"", metadata=sample_mesh.bearer("agent"), timeout=10) for _ in range(6)), 0)
        assert exhausted.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    finally:
        sample_mesh.up(edge=options, options=OPTIONS)


def test_the_access_log_names_the_method_and_nothing_of_a_person(sample_mesh: LiveMesh, web: httpx.Client) -> None:
    request_id = web.get("/v1/sla/Jane-Doe-1973", params={"caller": "jane@doe.example"}).headers["x-request-id"]
    missed = web.get("/v1/nobody/jane@doe.example").headers["x-request-id"]
    entries = _logged(sample_mesh, {request_id, missed})
    assert entries[request_id]["path"] == "/holdfast.sla.v1.Notes/GetNote"
    assert entries[request_id]["code"] == 200
    assert entries[missed]["code"] == 404
    assert "path" not in entries[missed]
    text = sample_mesh.instance.log("edge").read_text().lower()
    assert "jane" not in text
    assert "bearer" not in text


def _logged(mesh: LiveMesh, ids: set[str]) -> dict[str, dict[str, object]]:
    """Entries of the edge's log by request id; Envoy writes them out a moment later."""
    until = time.monotonic() + 10
    while True:
        lines = mesh.instance.log("edge").read_text().splitlines()
        entries = {entry["request_id"]: entry for entry in map(json.loads, lines) if entry.get("request_id") in ids}
        if entries.keys() == ids:
            return entries
        assert time.monotonic() < until, "the access log lacks a call"
        time.sleep(0.05)
