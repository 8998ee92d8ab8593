"""What an interceptor is: three hooks, called for every shape of call by `chassis.server`.

Hooks are plain functions, not coroutines: a call passes eight of them, and none has a reason to wait.
"""

from typing import ClassVar

from google.protobuf.message import Message

from chassis.call import Call


class Interceptor:
    """One step every call passes. Subclasses say in `why` why they stand where they stand in the list."""

    name: ClassVar[str]
    why: ClassVar[str]

    def on_start(self, call: Call) -> None:
        """Called in the list's order before anything is read. A `Refusal` raised here ends the call."""

    def on_message(self, call: Call, message: Message) -> None:
        """Called in the list's order for every message received. A `Refusal` raised here ends the call."""

    def on_end(self, call: Call, error: BaseException | None) -> None:
        """Called in reverse order at the end, whether or not `on_start` was reached; `error` is what ended the call."""
