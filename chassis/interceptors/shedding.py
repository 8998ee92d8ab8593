"""Refuses calls early when the process has as many as it can serve."""

from chassis.call import Call
from chassis.interceptors.base import Interceptor
from chassis.rules import Exhausted, Unavailable

RETRY_AFTER_SECONDS = 0.2


class Shedding(Interceptor):
    """Refuses one call too many with RESOURCE_EXHAUSTED and, while draining, every call with UNAVAILABLE."""

    name = "shedding"
    why = "before anything costs: an overloaded process spends nothing on a call it will not serve"

    def __init__(self, most: int) -> None:
        """Lets `most` unary calls in at once; streams, which last, are not counted."""
        self._most = most
        self._now = 0
        self.draining = False

    def on_start(self, call: Call) -> None:
        if self.draining:
            raise Unavailable("this replica is about to stop; another one serves", retry_after=0.05, reason="DRAINING")
        if call.method.streaming:
            return
        if self._now >= self._most:
            raise Exhausted("too many calls at once", retry_after=RETRY_AFTER_SECONDS)
        self._now += 1
        call.scratch[self.name] = True

    def on_end(self, call: Call, error: BaseException | None) -> None:
        if call.scratch.pop(self.name, False):
            self._now -= 1
