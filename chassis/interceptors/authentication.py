"""Finds out who calls."""

from chassis.auth.tokens import Verifier
from chassis.call import Call
from chassis.interceptors.base import Interceptor
from chassis.rules import Unauthenticated

SCHEME = "bearer "


class Authentication(Interceptor):
    """Verifies the bearer token of the `authorization` metadata. The edge did so, too; a service trusts no network."""

    name = "authentication"
    why = "inside of `errors`, so that a refused token is a documented error like any other"

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier

    def on_start(self, call: Call) -> None:
        header = call.metadata.get("authorization", "")
        if not isinstance(header, str) or header[: len(SCHEME)].lower() != SCHEME:
            raise Unauthenticated("the call carries no bearer token")
        call.caller = self._verifier.verify(header[len(SCHEME) :].strip())
