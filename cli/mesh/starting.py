"""One `up`: starts what does not run, waits until it serves, and undoes its own starts when anything fails."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from cli.console import CommandError
from cli.mesh import files, logs, mongod, mongod_program, probes, process
from cli.mesh import state as states
from cli.mesh.instance import Instance, claim_for_mongod
from cli.mesh.members import (
    ORDER,
    PYTHON_MEMBERS,
    Programs,
    address,
    base_environment,
    edge_settings,
    external_uris,
    ports_of,
    service_environment,
)
from cli.mesh.ports import require_free
from cli.mesh.state import EdgeOptions
from gateway.edge import bootstrap, envoy
from gateway.edge.settings import EdgeError

Phase = Literal["starting", "serving", "stopping", "stopped"]
Report = Callable[[str, Phase], None]

GRACE: Final = {"mongod": 60.0, "edge": 5.0}
SERVICE_GRACE: Final = 15.0


@dataclass(frozen=True, slots=True)
class Options:
    """How to start: seconds to wait for all to serve, and MongoDB's cache in gigabytes."""

    timeout: float = 60.0
    cache_gb: float = 1.0


class Starter:
    """Holds what one `up` has started. Use under the instance's lock."""

    def __init__(
        self, instance: Instance, programs: Programs, options: Options, report: Report, edge: EdgeOptions | None = None
    ) -> None:
        self._instance = instance
        self._programs = programs
        self._options = options
        self._report = report
        state = states.load(instance)
        self._state = replace(state, edge=edge or state.edge)
        self._ports = self._state.ports
        self._started: list[str] = []
        self._log_start: dict[str, int] = {}
        self._until = time.monotonic() + options.timeout

    def run(self, only: Sequence[str] = ORDER) -> None:
        """Start the members of `only` that do not run; when one fails, stop those this call started."""
        try:
            self._start(only)
        except BaseException:
            for member in reversed(self._started):
                stop_member(self._instance, member, self._report)
            raise

    def _start(self, only: Sequence[str]) -> None:
        external = external_uris()
        wanted = [member for member in ORDER if member in only and self._needed(member, external)]
        command = self._edge_command() if "edge" in wanted else []
        missing = [member for member in wanted if not self._runs(member)]
        process.kill_strays(str(self._instance.data), self._living())
        require_free({name: self._ports[name] for member in missing for name in ports_of(member)})
        uris = mongod.uris(self._instance, self._ports["mongod"]) | external
        if "mongod" in missing:
            self._spawn_mongod()
        if "mongod" in wanted:
            self._settle_mongod()
        for member in PYTHON_MEMBERS:
            if member in missing:
                environment = service_environment(member, self._instance, self._ports, uris)
                self._spawn(member, self._programs.service(member), environment)
        if "edge" in missing:
            self._spawn("edge", command, base_environment(self._instance))
        self._await_serving([member for member in wanted if member != "mongod"])
        if "edge" in wanted:
            self._await_upstreams()

    def _needed(self, member: str, external: dict[str, str]) -> bool:
        return member != "mongod" or len(external) < len(mongod.DATABASES)

    def _living(self) -> set[int]:
        return {record.pid for record in self._state.processes.values() if process.alive(record)}

    def _runs(self, member: str) -> bool:
        record = self._state.processes.get(member)
        return record is not None and process.alive(record)

    def _edge_command(self) -> list[str]:
        """Write and validate the edge's configuration; an edge that runs with another one is stopped."""
        config = self._instance.edge_config
        candidate = config.with_suffix(".candidate.json")
        try:
            text = bootstrap.render(
                edge_settings(self._instance, self._ports, self._state.edge, self._programs.descriptors)
            )
            program = envoy.binary()
            if not config.exists() or config.read_text(encoding="utf-8") != text or not self._runs("edge"):
                files.write_atomically(candidate, text)
                envoy.validate(program, candidate)
                self._stop_outdated_edge()
                candidate.replace(config)
            # Only now: options that Envoy refuses must not be remembered.
            states.save(self._instance, self._state)
        except EdgeError as error:
            raise CommandError(f"edge: {error}") from None
        return envoy.command(program, config)

    def _stop_outdated_edge(self) -> None:
        if self._runs("edge"):
            stop_member(self._instance, "edge", self._report)
            self._state = self._state.without_process("edge")

    def _spawn_mongod(self) -> None:
        program = mongod_program.locate()
        claim_for_mongod(self._instance, mongod_program.version(program))
        command = mongod_program.command(program, self._instance, self._ports["mongod"], self._options.cache_gb)
        self._spawn("mongod", command, base_environment(self._instance))

    def _settle_mongod(self) -> None:
        port = self._ports["mongod"]
        self._wait(["mongod"], lambda _: mongod.is_up(port))
        mongod.establish(self._instance, port)
        self._report("mongod", "serving")

    def _spawn(self, member: str, command: list[str], environment: dict[str, str]) -> None:
        log = self._instance.log(member)
        self._log_start[member] = logs.size(log)
        self._report(member, "starting")
        record = process.spawn(command, environment, log, self._instance.data)
        self._started.append(member)
        self._state = self._state.with_process(member, record)
        states.save(self._instance, self._state)

    def _await_serving(self, members: list[str]) -> None:
        def serves(member: str) -> bool:
            if health(member, self._ports) != probes.SERVING:
                return False
            self._report(member, "serving")
            return True

        self._wait(members, serves)

    def _await_upstreams(self) -> None:
        admin = address(self._ports, "edge-admin")
        self._wait(["edge"], lambda _: not probes.upstreams_down(admin))

    def _wait(self, members: list[str], done: Callable[[str], bool]) -> None:
        pending = list(members)
        while pending:
            for member in pending:
                if not self._runs(member):
                    raise self._ended(member)
            pending = [member for member in pending if not done(member)]
            if pending and time.monotonic() > self._until:
                raise CommandError(
                    f"{', '.join(pending)} did not serve within {self._options.timeout:.0f} s "
                    f"(log: {self._instance.log(pending[0])})"
                )
            time.sleep(0.05 if pending else 0)

    def _ended(self, member: str) -> CommandError:
        log = self._instance.log(member)
        code = process.exit_code(self._state.processes[member])
        why = logs.reason(log, self._log_start.get(member, 0))
        if member == "mongod":
            return CommandError(f"{mongod_program.explain(code, why)} (log: {log})")
        return CommandError(f"{member} did not start: {why or f'it ended with code {code}'} (log: {log})")


def health(member: str, ports: Mapping[str, int]) -> str:
    """SERVING, or how it does not serve."""
    if member == "mongod":
        return probes.SERVING if mongod.is_serving(ports["mongod"]) else probes.UNREACHABLE
    if member == "edge":
        return probes.envoy_ready(address(ports, "edge-admin"))
    return probes.grpc_health(address(ports, member))


def stop_member(instance: Instance, member: str, report: Report) -> None:
    """Stop a member and forget it; harmless when it does not run."""
    state = states.load(instance)
    record = state.processes.get(member)
    if record is None:
        return
    if process.alive(record):
        report(member, "stopping")
        process.stop(record, GRACE.get(member, SERVICE_GRACE))
        report(member, "stopped")
    states.save(instance, state.without_process(member))
