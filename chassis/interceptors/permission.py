"""Lets in only whom the contract lets in."""

from google.protobuf.message import Message

from chassis.call import CUSTOMER, Call
from chassis.interceptors.base import Interceptor
from chassis.rules import Forbidden


class Permission(Interceptor):
    """Holds the caller's roles against the policy of the method; a customer must name itself in the request."""

    name = "permission"
    why = "after authentication, which says who calls"

    def on_start(self, call: Call) -> None:
        caller = call.caller
        assert caller is not None, "authentication stands before permission"
        fitting = caller.roles & call.method.roles
        if not fitting:
            allowed = ", ".join(sorted(call.method.roles))
            raise Forbidden(f"the method takes one of the roles {allowed}", metadata={"allowed": allowed})
        if fitting == {CUSTOMER}:
            call.scratch[self.name] = caller.customer_id

    def on_message(self, call: Call, message: Message) -> None:
        own = call.scratch.get(self.name)
        if own is not None and (not own or call.method.customer_of(message) != own):
            raise Forbidden(
                "a customer may ask about itself only", reason="NOT_OWN_CUSTOMER", field=call.method.customer_field
            )
