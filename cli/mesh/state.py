"""What is remembered of an instance between two commands: its ports, its edge's options, its processes."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from cli.console import CommandError
from cli.mesh.files import write_atomically
from cli.mesh.instance import Instance
from cli.mesh.ports import from_base
from cli.mesh.process import Record


@dataclass(frozen=True, slots=True)
class EdgeOptions:
    """What a user may change at the edge; remembered, so that a bare `up` keeps it."""

    allowed_origins: tuple[str, ...] = ()
    rate_per_second: int = 5_000
    tls_certificate: str = ""
    tls_key: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """`base` is 0 until ports are chosen; `base_picked` when they were chosen for being free."""

    base: int = 0
    base_picked: bool = False
    edge: EdgeOptions = field(default_factory=EdgeOptions)
    processes: Mapping[str, Record] = field(default_factory=dict)

    @property
    def ports(self) -> dict[str, int]:
        """Port of each name in the table; none until a base is chosen."""
        return from_base(self.base) if self.base else {}

    def with_process(self, member: str, record: Record) -> "State":
        return replace(self, processes={**self.processes, member: record})

    def without_process(self, member: str) -> "State":
        return replace(self, processes={name: record for name, record in self.processes.items() if name != member})


def load(instance: Instance) -> State:
    """The remembered state; an empty one for a new instance. Raises CommandError when the file is damaged."""
    try:
        raw = json.loads(instance.state_file.read_text(encoding="utf-8"))
        return _state(raw)
    except FileNotFoundError:
        return State()
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CommandError(f"{instance.state_file} is damaged: stop the processes it names, then remove it") from None


def save(instance: Instance, state: State) -> None:
    write_atomically(instance.state_file, json.dumps(asdict(state), indent=2) + "\n")


def _state(raw: dict[str, Any]) -> State:
    edge = {**raw["edge"], "allowed_origins": tuple(raw["edge"]["allowed_origins"])}
    return State(
        base=int(raw["base"]),
        base_picked=bool(raw["base_picked"]),
        edge=EdgeOptions(**edge),
        processes={str(name): Record(**record) for name, record in raw["processes"].items()},
    )
