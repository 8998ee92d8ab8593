"""The HTTP filters, in the order of the way in. The order is the policy; each entry says why it stands there."""

from base64 import b64encode

from gateway.edge.clusters import JWKS_CLUSTER, is_remote
from gateway.edge.descriptors import Api
from gateway.edge.envoy_api import Config, extension, seconds
from gateway.edge.routes import OPEN_PATHS
from gateway.edge.settings import EdgeSettings, Identity, RateLimit

PROVIDER = "holdfast"
CLOCK_SKEW_SECONDS = 10
FULL = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}


def http_filters(settings: EdgeSettings, api: Api) -> list[Config]:
    """Filters from the caller to the service."""
    return [
        _cors(),  # first: a browser's preflight carries no token, and refusals need CORS headers to be readable
        _jwt_authn(settings.identity),  # before the limit: a stranger must not spend the callers' tokens
        _local_ratelimit(settings.rate_limit),  # before any body is buffered or parsed
        _grpc_web(),  # before transcoding, which leaves application/grpc alone
        *_rest_bodies(settings, api),  # off but for REST with a body; after the limit, before the body is translated
        _grpc_json_transcoder(settings, api),  # rewrites path and method: the route is chosen anew
        _router(),
    ]


def _cors() -> Config:
    return extension("envoy.filters.http.cors", "envoy.extensions.filters.http.cors.v3.Cors")


def _jwt_authn(identity: Identity) -> Config:
    provider: Config = {
        "issuer": identity.issuer,
        "audiences": [identity.audience],
        "require_expiration": True,
        "clock_skew_seconds": CLOCK_SKEW_SECONDS,
        # The service verifies the token again: it does not trust its network.
        "forward": True,
        # Named, because the default also takes ?access_token=, and queries end up in other people's logs.
        "from_headers": [{"name": "Authorization", "value_prefix": "Bearer "}],
        "jwt_cache_config": {"jwt_cache_size": 4096},
        **_keys(identity.jwks),
    }
    return extension(
        "envoy.filters.http.jwt_authn",
        "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        providers={PROVIDER: provider},
        bypass_cors_preflight=True,
        rules=[
            *({"match": {"path": path}} for path in OPEN_PATHS),
            {"match": {"prefix": "/"}, "requires": {"provider_name": PROVIDER}},
        ],
    )


def _keys(jwks: str) -> Config:
    if not is_remote(jwks):
        return {"local_jwks": {"filename": jwks}}
    fetch = {"uri": jwks, "cluster": JWKS_CLUSTER, "timeout": "5s"}
    retry = {"num_retries": 3, "retry_back_off": {"base_interval": "0.2s", "max_interval": "2s"}}
    return {
        "remote_jwks": {
            "http_uri": fetch,
            "cache_duration": "300s",
            "async_fetch": {"failed_refetch_duration": "1s"},
            "retry_policy": retry,
        }
    }


def _local_ratelimit(limit: RateLimit) -> Config:
    # Filled ten times a second, so that a caller who waits is served within 100 ms and not at the next full second.
    per_fill = max(1, limit.per_second // 10)
    return extension(
        "envoy.filters.http.local_ratelimit",
        "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        stat_prefix="edge_rate",
        token_bucket={
            "max_tokens": limit.burst,
            "tokens_per_fill": per_fill,
            "fill_interval": seconds(per_fill / limit.per_second),
        },
        filter_enabled=FULL,
        filter_enforced=FULL,
        rate_limited_as_resource_exhausted=True,
        enable_x_ratelimit_headers="DRAFT_VERSION_03",
        response_headers_to_add=[{"header": {"key": "retry-after", "value": "1"}}],
    )


def _grpc_web() -> Config:
    return extension("envoy.filters.http.grpc_web", "envoy.extensions.filters.http.grpc_web.v3.GrpcWeb")


def _rest_bodies(settings: EdgeSettings, api: Api) -> list[Config]:
    """Bound and check a JSON body. Both are off until a route turns them on."""
    bound = extension(
        "envoy.filters.http.buffer",
        "envoy.extensions.filters.http.buffer.v3.Buffer",
        max_request_bytes=settings.max_body_bytes,
    )
    check = extension(
        "envoy.filters.http.lua",
        "envoy.extensions.filters.http.lua.v3.Lua",
        default_source_code={"inline_string": api.rest_bodies.guard()},
    )
    return [{**bound, "disabled": True}, {**check, "disabled": True}]


def _grpc_json_transcoder(settings: EdgeSettings, api: Api) -> Config:
    return extension(
        "envoy.filters.http.grpc_json_transcoder",
        "envoy.extensions.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        # Inline, so that a configuration is complete in itself and changes when the contracts do.
        proto_descriptor_bin=b64encode(api.descriptor_set).decode("ascii"),
        services=api.rest_services,
        convert_grpc_status=True,
        max_request_body_size=settings.max_body_bytes,
        max_response_body_size=settings.max_body_bytes,
        query_param_unescape_plus=True,
        request_validation_options={
            "reject_unknown_query_parameters": True,
            "reject_binding_body_field_collisions": True,
        },
        print_options={
            "preserve_proto_field_names": False,
            "always_print_enums_as_ints": False,
            "stream_newline_delimited": True,
        },
    )


def _router() -> Config:
    router = "envoy.extensions.filters.http.router.v3.Router"
    return extension("envoy.filters.http.router", router, suppress_envoy_headers=True)
