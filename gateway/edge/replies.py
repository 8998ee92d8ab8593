"""How the edge speaks when it answers by itself: errors as JSON, and an access log without personal data."""

from gateway.edge.envoy_api import Config, extension

REASONS = {
    400: (3, "INVALID_ARGUMENT"),
    401: (16, "UNAUTHENTICATED"),
    404: (5, "NOT_FOUND"),
    408: (4, "REQUEST_TIMEOUT"),
    413: (8, "BODY_TOO_LARGE"),
    415: (3, "UNSUPPORTED_MEDIA_TYPE"),
    429: (8, "RATE_LIMITED"),
    431: (8, "HEADERS_TOO_LARGE"),
    502: (14, "BAD_UPSTREAM"),
    503: (14, "UNAVAILABLE"),
    504: (4, "DEADLINE_EXCEEDED"),
}
"""HTTP status of a refusal by the edge itself: the gRPC code and the reason it carries in the body."""

GRPC_PATH = r"/holdfast\.[A-Za-z0-9_.]+/[A-Za-z0-9_]+"


def local_replies() -> Config:
    """One JSON shape for every refusal of the edge to a caller who is not gRPC.

    It is that of a transcoded error, `google.rpc.Status` (`code` is the gRPC code), with `reason` beside it.
    """
    exact = [_mapper(_status("EQ", status), code, reason) for status, (code, reason) in REASONS.items()]
    others = [_mapper(_status("GE", 500), 13, "INTERNAL"), _mapper(_status("GE", 400), 3, "REFUSED")]
    return {"mappers": [_wrong_audience(_not_grpc()), _wrong_audience(), *exact, _grpc_deadline(), *others]}


def _wrong_audience(condition: Config | None = None) -> Config:
    """The edge's only 403 is Envoy's answer to a token for somebody else; the services, and RFC 6750, say 401."""
    filters = [_status("EQ", 403), *([condition] if condition else [])]
    body = {"body_format_override": _body(*REASONS[401])} if condition else {}
    return {"filter": _all(filters), "status_code": 401, **body}


def _grpc_deadline() -> Config:
    """Envoy's table gives a gRPC caller UNAVAILABLE for 504, which invites a retry; it was the deadline."""
    deadline_exceeded = {"header": {"key": "grpc-status", "value": "4"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
    return {"filter": _status("EQ", 504), "headers_to_add": [deadline_exceeded]}


def _mapper(condition: Config, code: int, reason: str) -> Config:
    return {"filter": _all([condition, _not_grpc()]), "body_format_override": _body(code, reason)}


def _body(code: int, reason: str) -> Config:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "edge.holdfast"}
    body = {"code": code, "reason": reason, "message": "%LOCAL_REPLY_BODY%", "details": [info]}
    return {"json_format": body, "content_type": "application/json"}


def _all(filters: list[Config]) -> Config:
    return {"and_filter": {"filters": filters}} if len(filters) > 1 else filters[0]


def _not_grpc() -> Config:
    """Callers over gRPC get the text as grpc-message. A transcoded call looks like gRPC but kept its first path."""
    plain = {
        "name": "content-type",
        "string_match": {"prefix": "application/grpc"},
        "invert_match": True,
        "treat_missing_header_as_empty": True,
    }
    transcoded = {"name": "x-envoy-original-path", "present_match": True}
    return {"or_filter": {"filters": [{"header_filter": {"header": header}} for header in (plain, transcoded)]}}


def _status(op: str, code: int) -> Config:
    comparison = {"op": op, "value": {"default_value": code, "runtime_key": "edge.local_reply_status"}}
    return {"status_code_filter": {"comparison": comparison}}


def access_logs() -> list[Config]:
    """JSON lines on standard output.

    The path is logged only where it is the name of a gRPC method (REST paths are, once transcoded): any other path
    may hold an identifier of a person. Addresses, queries, agents and tokens are never logged.
    """
    is_method: Config = {"name": ":path", "string_match": {"safe_regex": {"regex": GRPC_PATH}}}
    return [
        _logger({"header_filter": {"header": is_method}}, {"path": "%REQ(:PATH)%"}),
        _logger({"header_filter": {"header": {**is_method, "invert_match": True}}}, {}),
    ]


def _logger(condition: Config, extra: Config) -> Config:
    fields = {
        "time": "%START_TIME%",
        "method": "%REQ(:METHOD)%",
        **extra,
        "route": "%ROUTE_NAME%",
        "code": "%RESPONSE_CODE%",
        "grpc_status": "%GRPC_STATUS%",
        "flags": "%RESPONSE_FLAGS%",
        "why": "%RESPONSE_CODE_DETAILS%",
        "duration_ms": "%DURATION%",
        "upstream_cluster": "%UPSTREAM_CLUSTER%",
        "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
        "request_bytes": "%BYTES_RECEIVED%",
        "response_bytes": "%BYTES_SENT%",
        "request_id": "%REQ(X-REQUEST-ID)%",
    }
    stdout = extension(
        "envoy.access_loggers.stdout",
        "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
        log_format={"json_format": fields},
    )
    return {**stdout, "filter": condition}
