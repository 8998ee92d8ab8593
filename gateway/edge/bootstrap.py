"""The whole Envoy bootstrap, as JSON (which is also YAML)."""

import json

from gateway.edge.clusters import clusters
from gateway.edge.descriptors import read_api
from gateway.edge.envoy_api import Config, extension, socket
from gateway.edge.listener import listener
from gateway.edge.settings import EdgeSettings

ADMIN_PATHS = r"/(ready|clusters|listeners|stats|stats/prometheus|config_dump|server_info)(\?.*)?"
"""What the admin interface answers; nothing that changes or ends the process."""


def bootstrap(settings: EdgeSettings) -> Config:
    """The configuration as a tree of plain values. Raises EdgeError when the settings or descriptors are unusable."""
    api = read_api(settings.descriptors)
    return {
        "node": {"id": "holdfast-edge", "cluster": "holdfast"},
        "admin": {
            "address": socket(settings.admin),
            "allow_paths": [{"safe_regex": {"regex": ADMIN_PATHS}}],
        },
        "static_resources": {
            "listeners": [listener(settings, api)],
            "clusters": clusters(settings),
        },
        "overload_manager": {
            "resource_monitors": [
                extension(
                    "envoy.resource_monitors.global_downstream_max_connections",
                    "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                    max_active_downstream_connections=settings.max_connections,
                )
            ]
        },
        "application_log_config": {
            "log_format": {"json_format": {"time": "%Y-%m-%dT%T.%F", "level": "%l", "logger": "%n", "message": "%j"}}
        },
    }


def render(settings: EdgeSettings) -> str:
    """The configuration as text; the same settings and descriptors always give the same text."""
    return json.dumps(bootstrap(settings), indent=2) + "\n"
