"""Makes the caller's deadline the bound of everything done for it, in the store and downstream."""

import time

import pymongo

from chassis.call import Call
from chassis.interceptors.base import Interceptor
from chassis.rules import TooSlow


class Deadline(Interceptor):
    """Notes when the caller stops waiting; a unary call that says nothing gets a default."""

    name = "deadline"
    why = "after permission: a call that is let in is worth a timer"

    def __init__(self, default_seconds: float) -> None:
        self._default = default_seconds

    def on_start(self, call: Call) -> None:
        seconds: float | None = call.context.time_remaining()
        if seconds is None:
            if call.method.streaming:
                return
            seconds = self._default
        if seconds <= 0:
            raise TooSlow("the deadline had ended before the call began")
        call.deadline = time.monotonic() + seconds
        bound = pymongo.timeout(seconds)
        bound.__enter__()
        call.scratch[self.name] = bound

    def on_end(self, call: Call, error: BaseException | None) -> None:
        bound = call.scratch.pop(self.name, None)
        if bound is not None:
            bound.__exit__(None, None, None)
