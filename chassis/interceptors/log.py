"""Logs how calls end: server faults as errors, refusals at debug. Never what they said."""

import time

import grpc

from chassis.call import Call
from chassis.interceptors.base import Interceptor
from chassis.interceptors.telemetry import SERVER_FAULTS
from chassis.log import logger

_log = logger("call")


class Log(Interceptor):
    """One line for a call that failed by a fault of ours; at level debug one for every call."""

    name = "log"
    why = "outside of `errors`, so that it knows the status that went out"

    def __init__(self, *, verbose: bool) -> None:
        """With `verbose`, calls that went well are logged, too."""
        self._verbose = verbose

    def on_end(self, call: Call, error: BaseException | None) -> None:
        if call.code is grpc.StatusCode.OK and not self._verbose:
            return
        if call.code is grpc.StatusCode.INTERNAL and error is not None:
            # The traceback names code; an exception's own text may quote a document, so only its type is kept.
            _log.error("call_failed", method=call.method.path, type=type(error).__name__, frames=_frames(error))
        elif call.code in SERVER_FAULTS:
            _log.warning("call_ended", method=call.method.path, code=call.code.name)
        else:
            millis = (time.perf_counter() - call.started) * 1000
            _log.debug("call_ended", method=call.method.path, code=call.code.name, milliseconds=round(millis, 3))


def _frames(error: BaseException) -> list[str]:
    frames = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        frames.append(f"{code.co_filename.rpartition('/')[2]}:{step.tb_lineno} {code.co_qualname}")
        step = step.tb_next
    return frames[-12:]
