"""Names the call, so that its caller, its logs and its traces speak of the same thing."""

from chassis.call import Call
from chassis.ids import new_id
from chassis.interceptors.base import Interceptor

HEADER = "x-request-id"
LONGEST = 128


class RequestId(Interceptor):
    """Takes over the caller's `x-request-id`, or makes one."""

    name = "request id"
    why = "first, so that whatever happens next can name the call"

    def on_start(self, call: Call) -> None:
        given = call.metadata.get(HEADER, "")
        usable = isinstance(given, str) and 0 < len(given) <= LONGEST and given.isprintable()
        call.request_id = str(given) if usable else new_id()
