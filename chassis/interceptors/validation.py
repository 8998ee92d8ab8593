"""Holds every message against the field rules of its proto."""

from google.protobuf.message import Message

from chassis import validation
from chassis.call import Call
from chassis.interceptors.base import Interceptor


class Validation(Interceptor):
    """Refuses a message that breaks a rule, naming each field. A handler may check rows of a bulk load itself."""

    name = "validation"
    why = "last, so that only callers who may ask learn what is wrong with what they ask"

    def on_message(self, call: Call, message: Message) -> None:
        if not call.method.row_field:
            validation.check(message)
