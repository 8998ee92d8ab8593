"""The one listener: HTTP/1.1 and HTTP/2 on one port, in cleartext or TLS."""

from gateway.edge.descriptors import Api
from gateway.edge.envoy_api import Config, extension, socket
from gateway.edge.filters import http_filters
from gateway.edge.replies import access_logs, local_replies
from gateway.edge.routes import route_config
from gateway.edge.settings import MIB, EdgeSettings, Tls


def listener(settings: EdgeSettings, api: Api) -> Config:
    chain: Config = {"filters": [_connection_manager(settings, api)]}
    if settings.tls:
        chain["transport_socket"] = _tls(settings.tls)
    return {
        "name": "edge",
        "address": socket(settings.listen),
        "filter_chains": [chain],
        "per_connection_buffer_limit_bytes": MIB,
        # With port sharing on, a second edge would take half of the calls unseen instead of failing to start.
        "enable_reuse_port": False,
        "connection_balance_config": {"exact_balance": {}},
    }


def _connection_manager(settings: EdgeSettings, api: Api) -> Config:
    return extension(
        "envoy.filters.network.http_connection_manager",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="edge",
        codec_type="AUTO",
        route_config=route_config(settings, api),
        http_filters=http_filters(settings, api),
        access_log=access_logs(),
        local_reply_config=local_replies(),
        use_remote_address=True,
        server_name="holdfast",
        generate_request_id=True,
        always_set_request_id_in_response=True,
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action="REJECT_REQUEST",
        request_headers_timeout="10s",
        stream_idle_timeout="300s",
        common_http_protocol_options={
            "idle_timeout": "3600s",
            # `customer_id` and `customer-id` would be one header to some servers and two to others.
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        http2_protocol_options={
            "max_concurrent_streams": 1024,
            "initial_stream_window_size": MIB,
            "initial_connection_window_size": 16 * MIB,
            "connection_keepalive": {"interval": "60s", "timeout": "10s"},
        },
    )


def _tls(tls: Tls) -> Config:
    return extension(
        "envoy.transport_sockets.tls",
        "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        common_tls_context={
            "alpn_protocols": ["h2", "http/1.1"],
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
            "tls_certificates": [
                {
                    "certificate_chain": {"filename": str(tls.certificate)},
                    "private_key": {"filename": str(tls.key)},
                }
            ],
        },
    )
