"""The steps that every call of every service passes, as one ordered list."""

from collections.abc import Sequence

from chassis.auth.tokens import Verifier
from chassis.interceptors.authentication import Authentication
from chassis.interceptors.base import Interceptor
from chassis.interceptors.deadline import Deadline
from chassis.interceptors.errors import Errors
from chassis.interceptors.log import Log
from chassis.interceptors.permission import Permission
from chassis.interceptors.request_id import RequestId
from chassis.interceptors.shedding import Shedding
from chassis.interceptors.telemetry import Telemetry
from chassis.interceptors.validation import Validation
from chassis.settings import Settings


def ordered(settings: Settings, verifier: Verifier) -> Sequence[Interceptor]:
    """The list, outermost first. Each says in its `why` why it stands where it stands."""
    return (
        RequestId(),
        Telemetry(),
        Log(verbose=settings.log_level == "debug"),
        Errors(),
        Shedding(settings.max_in_flight),
        Authentication(verifier),
        Permission(),
        Deadline(settings.default_deadline_seconds),
        Validation(),
    )
