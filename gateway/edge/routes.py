"""Which call goes where, how long it may take, and when it may be tried again."""

from gateway.edge.descriptors import Api, Method
from gateway.edge.envoy_api import Config, extension, seconds, typed
from gateway.edge.rest import Binding
from gateway.edge.settings import SERVICES, EdgeSettings, Timeouts

HEALTH_PATH = "/healthz"
READY_PATH = "/readyz"
OPEN_PATHS = (HEALTH_PATH, READY_PATH)
"""Answered without a token and without spending a caller's rate."""

# A write may be tried again only when the first attempt cannot have reached the service.
SAFE_FOR_WRITES = "connect-failure,refused-stream"
SAFE_FOR_READS = "connect-failure,refused-stream,unavailable,reset"
RETRIES = 2

_DISABLED = "envoy.config.route.v3.FilterConfig"
_HTTP = "envoy.extensions.filters.http"


def route_config(settings: EdgeSettings, api: Api) -> Config:
    """The route table: health, streams, reads, one prefix for each service, and a 404 for the rest."""
    host: Config = {
        "name": "holdfast",
        "domains": ["*"],
        "routes": [
            *(_open_path(path) for path in OPEN_PATHS),
            _preflight(),
            *(_stream(method) for method in api.methods if method.streams),
            *(_read(method, settings.timeouts) for method in api.methods if method.reads and not method.streams),
            *(_service(name, settings.timeouts) for name in SERVICES),
            *(_rest_body(binding, settings) for binding in api.rest_bodies.bindings),
            _nothing_here(),
        ],
        "typed_per_filter_config": {"envoy.filters.http.cors": _cors(settings.allowed_origins)},
    }
    return {"name": "edge", "virtual_hosts": [host]}


def _open_path(path: str) -> Config:
    return {
        "name": path.strip("/"),
        "match": {"path": path, "headers": [_method_is("GET")]},
        "direct_response": {"status": 200, "body": {"inline_string": '{"status":"SERVING"}\n'}},
        "response_headers_to_add": [{"header": {"key": "content-type", "value": "application/json"}}],
        "typed_per_filter_config": {"envoy.filters.http.local_ratelimit": typed(_DISABLED, disabled=True)},
    }


def _preflight() -> Config:
    """The CORS filter answers every preflight, but only on a route that has a cluster; none is forwarded."""
    headers = [
        _method_is("OPTIONS"),
        {"name": "origin", "present_match": True},
        {"name": "access-control-request-method", "present_match": True},
    ]
    return {"name": "preflight", "match": {"prefix": "/", "headers": headers}, "route": {"cluster": "gateway"}}


def _stream(method: Method) -> Config:
    """A stream lasts as long as both ends want it; only the caller's own deadline ends it."""
    action = {
        "cluster": method.owner,
        "timeout": "0s",
        "idle_timeout": "0s",
        "max_stream_duration": {"max_stream_duration": "0s", "grpc_timeout_header_max": "0s"},
    }
    return _grpc(f"stream {method.path[1:]}", {"path": method.path}, action)


def _read(method: Method, timeouts: Timeouts) -> Config:
    retry = {**_retry(SAFE_FOR_READS), "per_try_timeout": seconds(timeouts.per_try)}
    return _grpc(f"read {method.path[1:]}", {"path": method.path}, _unary(method.owner, timeouts, retry))


def _service(name: str, timeouts: Timeouts) -> Config:
    return _grpc(name, {"prefix": f"/holdfast.{name}.v1."}, _unary(name, timeouts, _retry(SAFE_FOR_WRITES)))


def _rest_body(binding: Binding, settings: EdgeSettings) -> Config:
    """Turns on the filters for JSON bodies. The transcoder then chooses the route of the gRPC method anew."""
    buffer = typed(f"{_HTTP}.buffer.v3.BufferPerRoute", buffer={"max_request_bytes": settings.max_body_bytes})
    guard = typed(f"{_HTTP}.lua.v3.LuaPerRoute", filter_context={"message": binding.message})
    return {
        "name": f"rest {binding.message}",
        "match": {"safe_regex": {"regex": binding.pattern}, "headers": [_method_is(binding.method)]},
        "route": _unary(binding.owner, settings.timeouts, _retry(SAFE_FOR_WRITES)),
        "typed_per_filter_config": {"envoy.filters.http.buffer": buffer, "envoy.filters.http.lua": guard},
    }


def _unary(cluster: str, timeouts: Timeouts, retry: Config) -> Config:
    # The limit is a stream duration and not `timeout`, because only the former gives way to grpc-timeout.
    duration = {
        "max_stream_duration": seconds(timeouts.unary),
        "grpc_timeout_header_max": seconds(timeouts.longest_unary),
    }
    return {"cluster": cluster, "timeout": "0s", "max_stream_duration": duration, "retry_policy": retry}


def _retry(conditions: str) -> Config:
    previous_hosts = extension(
        "envoy.retry_host_predicates.previous_hosts",
        "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
    )
    return {
        "retry_on": conditions,
        "num_retries": RETRIES,
        "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.25s"},
        "retry_host_predicate": [previous_hosts],
        "host_selection_retry_max_attempts": 3,
    }


def _grpc(name: str, match: Config, action: Config) -> Config:
    return {"name": name, "match": {**match, "headers": [_method_is("POST")]}, "route": action}


def _nothing_here() -> Config:
    body = {"inline_string": "no method of Holdfast has this path"}
    return {"name": "nothing here", "match": {"prefix": "/"}, "direct_response": {"status": 404, "body": body}}


def _method_is(verb: str) -> Config:
    return {"name": ":method", "string_match": {"exact": verb}}


def _cors(origins: tuple[str, ...]) -> Config:
    return typed(
        f"{_HTTP}.cors.v3.CorsPolicy",
        allow_origin_string_match=[{"exact": origin} for origin in origins],
        allow_methods="GET, POST, PUT, PATCH, DELETE, OPTIONS",
        allow_headers="authorization, content-type, x-grpc-web, x-user-agent, grpc-timeout, traceparent, tracestate",
        expose_headers="grpc-status, grpc-message, grpc-status-details-bin, x-request-id, retry-after",
        max_age="3600",
        forward_not_matching_preflights=False,
    )
