"""The mesh on this machine, as an object: up, down, status, and what a client needs to reach it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cli.console import CommandError
from cli.mesh import instance as instances
from cli.mesh import mongod, ports, process
from cli.mesh import state as states
from cli.mesh.instance import Instance
from cli.mesh.issuer import Issuer, write_service_tokens
from cli.mesh.members import ORDER, PYTHON_MEMBERS, Programs, address, external_uris
from cli.mesh.starting import Options, Report, Starter, health, stop_member
from cli.mesh.state import EdgeOptions, State


@dataclass(frozen=True, slots=True)
class MemberStatus:
    """One line of `status`. `health` is SERVING, NOT_SERVING, UNREACHABLE or, when it does not run, `-`."""

    name: str
    running: bool
    pid: int | None
    address: str
    health: str
    memory: int | None
    uptime: float | None

    @property
    def serving(self) -> bool:
        return self.health == "SERVING"


def _silent(_member: str, _phase: str) -> None:
    return None


class Mesh:
    """One instance and the programs it runs."""

    def __init__(self, instance: Instance, programs: Programs | None = None) -> None:
        self.instance = instance
        self._programs = programs or Programs()

    def up(
        self,
        port_base: int | None = None,
        edge: EdgeOptions | None = None,
        options: Options | None = None,
        report: Report = _silent,
    ) -> None:
        """Start what does not run and wait until everything serves.

        `port_base` None keeps the remembered ports (7400 for a new instance), 0 picks free ones and remembers them.
        Raises CommandError, with everything this call started stopped again.
        """
        self._start(port_base, edge, options or Options(), report, ORDER)

    def restart(self, member: str, options: Options | None = None) -> None:
        """Start one member again, if it does not run, and wait until it serves and the edge knows."""
        self._start(None, None, options or Options(), _silent, (member, "edge"))

    def down(self, report: Report = _silent) -> None:
        """Stop everything in reverse order; harmless when nothing runs."""
        with instances.locked(self.instance.require()):
            for member in reversed(ORDER):
                stop_member(self.instance, member, report)
            process.kill_strays(str(self.instance.data), set())

    def stop(self, member: str) -> None:
        """Stop one member cleanly."""
        with instances.locked(self.instance.require()):
            stop_member(self.instance, member, _silent)

    def kill(self, member: str) -> None:
        """SIGKILL one member and its workers, as a crash would. Raises CommandError when it does not run."""
        record = self.state.processes.get(member)
        if record is None or not process.alive(record):
            raise CommandError(f"{member} does not run")
        process.kill(record)

    def status(self) -> list[MemberStatus]:
        """Every member in the order of starting, asked now."""
        state = states.load(self.instance.require())
        local = len(external_uris()) < len(mongod.DATABASES) or "mongod" in state.processes
        return [self._status(member, state) for member in ORDER if member != "mongod" or local]

    @property
    def state(self) -> State:
        return states.load(self.instance.require())

    def address(self, name: str) -> str:
        """`host:port` of a name in the table of ports, such as `edge` or `sla`."""
        return address(self.state.ports, name)

    @property
    def edge_url(self) -> str:
        state = self.state
        return f"{'https' if state.edge.tls_certificate else 'http'}://{address(state.ports, 'edge')}"

    def token(self, role: str, subject: str = "", ttl: int = 3_600, customer_id: str = "", partner_id: str = "") -> str:
        """A token of this instance's development issuer."""
        issuer = Issuer(self.instance.require())
        return issuer.token([role], subject or f"dev-{role}", ttl, customer_id=customer_id, partner_id=partner_id)

    def mongo_uris(self) -> dict[str, str]:
        """Connection string of each service, as it was given to it."""
        return mongod.uris(self.instance.require(), self.state.ports["mongod"]) | external_uris()

    def mongo_admin_uri(self) -> str:
        return mongod.admin_uri(self.instance.require(), self.state.ports["mongod"])

    def _start(
        self,
        port_base: int | None,
        edge: EdgeOptions | None,
        options: Options,
        report: Report,
        only: Sequence[str],
    ) -> None:
        with instances.locked(self.instance):
            instances.prepare(self.instance)
            state = self._choose_ports(states.load(self.instance), port_base)
            states.save(self.instance, state)
            write_service_tokens(self.instance, Issuer(self.instance), PYTHON_MEMBERS)
            Starter(self.instance, self._programs, options, report, edge).run(only)

    def _choose_ports(self, state: State, port_base: int | None) -> State:
        asked_again = port_base is None or port_base == state.base or (port_base == 0 and state.base_picked)
        if state.base and asked_again:
            return state
        running = [name for name, record in state.processes.items() if process.alive(record)]
        if running:
            raise CommandError(
                f"--port-base cannot change while {', '.join(running)} run at base {state.base}: run `holdfast down`"
            )
        base = ports.pick_base() if port_base == 0 else ports.DEFAULT_BASE if port_base is None else port_base
        ports.from_base(base)
        return replace(state, base=base, base_picked=port_base == 0)

    def _status(self, member: str, state: State) -> MemberStatus:
        record = state.processes.get(member)
        usage = process.usage(record) if record else None
        return MemberStatus(
            name=member,
            running=usage is not None,
            pid=record.pid if record and usage else None,
            address=address(state.ports, member),
            health=health(member, state.ports) if usage else "-",
            memory=usage.memory if usage else None,
            uptime=usage.uptime if usage else None,
        )
