"""Where calls go: one cluster for each service of the mesh, and one for a remote JWKS."""

import ipaddress
from urllib.parse import urlsplit

from gateway.edge.envoy_api import Config, extension, seconds, socket, typed
from gateway.edge.settings import SERVICES, Address, EdgeError, EdgeSettings, Timeouts

JWKS_CLUSTER = "jwks"
SYSTEM_TRUST = "/etc/ssl/certs/ca-certificates.crt"
HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def clusters(settings: EdgeSettings) -> list[Config]:
    """All clusters; raises EdgeError when the JWKS URL has no host."""
    services = [_service(name, settings.upstreams[name], settings.timeouts) for name in SERVICES]
    remote = is_remote(settings.identity.jwks)
    return [*services, _jwks(settings.identity.jwks)] if remote else services


def is_remote(jwks: str) -> bool:
    return jwks.startswith(("http://", "https://"))


def _service(name: str, address: Address, timeouts: Timeouts) -> Config:
    return {
        **_named(name, address, timeouts.connect),
        "lb_policy": "LEAST_REQUEST",
        "typed_extension_protocol_options": {
            HTTP_OPTIONS: typed(
                HTTP_OPTIONS,
                # No HTTP/2 pings: a gRPC server answers pings on a quiet stream with GOAWAY (too_many_pings).
                explicit_http_config={
                    "http2_protocol_options": {
                        "initial_stream_window_size": 1 << 20,
                        "initial_connection_window_size": 16 << 20,
                    }
                },
            )
        },
        "upstream_connection_options": {"tcp_keepalive": {"keepalive_time": 30, "keepalive_interval": 5}},
        "health_checks": [_health_check(timeouts.health_interval)],
        # Below the threshold Envoy would send calls to endpoints it knows to be down.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "outlier_detection": {
            "consecutive_5xx": 5,
            "consecutive_gateway_failure": 5,
            "interval": "2s",
            "base_ejection_time": "5s",
            "max_ejection_percent": 50,
        },
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": 1024,
                    "max_pending_requests": 1024,
                    "max_requests": 4096,
                    "retry_budget": {"budget_percent": {"value": 20}, "min_retry_concurrency": 3},
                }
            ]
        },
    }


def _health_check(interval: float) -> Config:
    return {
        "timeout": "1s",
        "interval": seconds(interval),
        # Its default is a minute, which would delay the first call after a restart by as much.
        "no_traffic_interval": seconds(interval),
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "grpc_health_check": {},
    }


def _jwks(url: str) -> Config:
    parts = urlsplit(url)
    if not parts.hostname:
        raise EdgeError(f"identity.jwks is a URL without a host: {url}")
    secure = parts.scheme == "https"
    cluster = _named(JWKS_CLUSTER, Address(parts.hostname, parts.port or (443 if secure else 80)), connect=5.0)
    if not secure:
        return cluster
    trust = {
        "trusted_ca": {"filename": SYSTEM_TRUST},
        "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": parts.hostname}}],
    }
    context = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
    tls = extension(
        "envoy.transport_sockets.tls",
        context,
        sni=parts.hostname,
        common_tls_context={"validation_context": trust},
    )
    return {**cluster, "transport_socket": tls}


def _named(name: str, address: Address, connect: float) -> Config:
    return {
        "name": name,
        "type": "STATIC" if _is_ip(address.host) else "STRICT_DNS",
        "connect_timeout": seconds(connect),
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": socket(address)}}]}],
        },
    }


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
