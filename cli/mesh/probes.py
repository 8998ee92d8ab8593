"""Asking a member whether it serves."""

from typing import Final

import grpc
import httpx
from grpc_health.v1 import health_pb2, health_pb2_grpc

SERVING: Final = "SERVING"
UNREACHABLE: Final = "UNREACHABLE"
SECONDS: Final = 1.0


def grpc_health(address: str) -> str:
    """The status of the whole server by grpc.health.v1, or UNREACHABLE."""
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        try:
            reply = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=SECONDS)
        except grpc.RpcError:
            return UNREACHABLE
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status))


def envoy_ready(admin: str) -> str:
    """SERVING once Envoy has its listeners open."""
    try:
        reply = httpx.get(f"http://{admin}/ready", timeout=SECONDS, trust_env=False)
    except httpx.HTTPError:
        return UNREACHABLE
    return SERVING if reply.status_code == httpx.codes.OK else "NOT_SERVING"


def upstreams_down(admin: str) -> list[str]:
    """Clusters of the edge without a healthy endpoint; a service just started is seen a health check later."""
    reply = httpx.get(f"http://{admin}/clusters", params={"format": "json"}, timeout=SECONDS, trust_env=False)
    clusters = reply.raise_for_status().json()["cluster_statuses"]
    return [cluster["name"] for cluster in clusters if not any(map(_healthy, cluster.get("host_statuses", [])))]


def _healthy(host: dict[str, object]) -> bool:
    return host.get("health_status") == {"eds_health_status": "HEALTHY"}
