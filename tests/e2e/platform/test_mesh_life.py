"""Up, down, crashes and faults of the whole mesh."""

import os
import signal
import socket
from pathlib import Path

import grpc
import pytest

from cli.console import CommandError
from cli.mesh import process
from cli.mesh.instance import Instance
from cli.mesh.members import ORDER, Programs, mongo_uri_setting
from cli.mesh.mesh import Mesh
from cli.mesh.mongod import DATABASES
from cli.mesh.mongod_program import OVERRIDE
from cli.mesh.ports import from_base, pick_base
from cli.mesh.state import EdgeOptions
from tests.support import sample_api
from tests.support.mesh import OPTIONS, LiveMesh

# A database elsewhere that is never called: what these tests break has nothing to do with MongoDB.
ELSEWHERE = {mongo_uri_setting(database): "mongodb://127.0.0.1:1/x" for database in DATABASES}


@pytest.fixture
def fresh(tmp_path: Path, programs: Programs) -> Mesh:
    return Mesh(Instance(tmp_path / "mesh"), programs)


@pytest.fixture
def without_mongod(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, uri in ELSEWHERE.items():
        monkeypatch.setenv(name, uri)


def left_running(mesh: Mesh) -> list[int]:
    return process.kill_strays(str(mesh.instance.data), keep=set())


def pids(mesh: Mesh) -> dict[str, int | None]:
    return {member.name: member.pid for member in mesh.status()}


def test_every_member_serves_and_is_recorded(sample_mesh: LiveMesh) -> None:
    status = sample_mesh.status()
    assert [member.name for member in status] == list(ORDER)
    assert all(member.serving and member.memory and member.uptime is not None for member in status)


def test_a_second_up_leaves_everything_as_it_runs(sample_mesh: LiveMesh) -> None:
    before = pids(sample_mesh)
    sample_mesh.up(0, options=OPTIONS)
    assert pids(sample_mesh) == before


@pytest.mark.parametrize("victim", ORDER)
def test_up_after_a_crash_starts_the_dead_and_leaves_the_others(sample_mesh: LiveMesh, victim: str) -> None:
    before = pids(sample_mesh)
    sample_mesh.kill(victim)
    crashed = next(member for member in sample_mesh.status() if member.name == victim)
    assert (crashed.running, crashed.serving) == (False, False)
    sample_mesh.recover()
    after = pids(sample_mesh)
    assert {name for name in ORDER if after[name] != before[name]} == {victim}
    assert all(member.serving for member in sample_mesh.status())


def test_one_member_is_restarted_alone(sample_mesh: LiveMesh) -> None:
    before = pids(sample_mesh)
    sample_mesh.kill("sla")
    sample_mesh.restart("sla", OPTIONS)
    assert {name for name, pid in pids(sample_mesh).items() if pid != before[name]} == {"sla"}


def test_a_changed_edge_option_restarts_the_edge_alone_and_is_remembered(sample_mesh: LiveMesh) -> None:
    before, options = pids(sample_mesh), sample_mesh.state.edge
    sample_mesh.up(edge=EdgeOptions(allowed_origins=options.allowed_origins, rate_per_second=4_321), options=OPTIONS)
    changed = pids(sample_mesh)
    assert {name for name in ORDER if changed[name] != before[name]} == {"edge"}
    sample_mesh.up(options=OPTIONS)
    assert sample_mesh.state.edge.rate_per_second == 4_321
    assert pids(sample_mesh) == changed
    sample_mesh.up(edge=options, options=OPTIONS)


def test_an_edge_option_that_cannot_work_is_refused_and_not_remembered(sample_mesh: LiveMesh) -> None:
    before, options = pids(sample_mesh), sample_mesh.state.edge
    with pytest.raises(CommandError, match=r"edge: tls names the file /no/cert\.pem, which does not exist"):
        sample_mesh.up(edge=EdgeOptions(tls_certificate="/no/cert.pem", tls_key="/no/key.pem"), options=OPTIONS)
    assert sample_mesh.state.edge == options
    assert pids(sample_mesh) == before


def test_ports_cannot_change_while_the_mesh_runs(sample_mesh: LiveMesh) -> None:
    with pytest.raises(CommandError, match="--port-base cannot change while mongod"):
        sample_mesh.up(7400, options=OPTIONS)


@pytest.mark.usefixtures("without_mongod")
def test_down_ends_everything_and_up_uses_the_same_ports_again(fresh: Mesh) -> None:
    fresh.up(0, options=OPTIONS)
    base = fresh.state.base
    assert [member.name for member in fresh.status()] == [name for name in ORDER if name != "mongod"]
    fresh.down()
    assert left_running(fresh) == []
    assert not any(member.running for member in fresh.status())
    fresh.up(0, options=OPTIONS)
    assert fresh.state.base == base
    fresh.down()


@pytest.mark.usefixtures("without_mongod")
def test_a_port_in_use_is_named_and_nothing_is_left_running(fresh: Mesh) -> None:
    base = pick_base()
    with (
        socket.create_server(("127.0.0.1", from_base(base)["sla"])) as taken,
        pytest.raises(CommandError, match=rf"port {taken.getsockname()[1]}, which sla needs, is in use by process"),
    ):
        fresh.up(base, options=OPTIONS)
    assert left_running(fresh) == []


@pytest.mark.usefixtures("without_mongod")
def test_a_service_that_ends_at_its_start_is_reported_with_its_reason_and_the_others_are_stopped(
    tmp_path: Path, programs: Programs
) -> None:
    broken = Programs(
        service=lambda name: (
            ["sh", "-c", "echo HOLDFAST_X must be a number >&2; exit 1"]
            if name == "retention"
            else programs.service(name)
        ),
        descriptors=programs.descriptors,
    )
    mesh = Mesh(Instance(tmp_path / "mesh"), broken)
    with pytest.raises(
        CommandError, match=r"retention did not start: HOLDFAST_X must be a number \(log: .*retention\.log"
    ):
        mesh.up(0, options=OPTIONS)
    assert left_running(mesh) == []
    assert mesh.state.processes == {}


@pytest.mark.usefixtures("without_mongod")
def test_a_failed_up_leaves_running_what_ran_before(tmp_path: Path, programs: Programs) -> None:
    mesh = Mesh(Instance(tmp_path / "mesh"), programs)
    mesh.up(0, options=OPTIONS)
    mesh.kill("sla")
    before = {name: pid for name, pid in pids(mesh).items() if name != "sla"}
    broken = Mesh(mesh.instance, Programs(lambda name: ["false"], programs.descriptors))
    with pytest.raises(CommandError, match="sla did not start: it ended with code 1"):
        broken.up(options=OPTIONS)
    assert {name: pid for name, pid in pids(mesh).items() if name != "sla"} == before
    mesh.down()


def test_a_mongod_that_lacks_a_library_is_explained_and_nothing_is_left_running(
    fresh: Mesh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "mongod"
    program.write_text(
        "#!/bin/sh\necho 'mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file:"
        " No such file or directory' >&2\nexit 127\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv(OVERRIDE, str(program))
    with pytest.raises(CommandError, match=r"libcurl\.so\.4 is missing; install the package libcurl4"):
        fresh.up(0, options=OPTIONS)
    assert left_running(fresh) == []


def test_missing_descriptors_are_refused_before_anything_starts(tmp_path: Path, programs: Programs) -> None:
    mesh = Mesh(Instance(tmp_path / "mesh"), Programs(programs.service, tmp_path / "none.binpb"))
    with pytest.raises(CommandError, match=r"edge: the descriptor set .*none\.binpb is missing: run `make gen`"):
        mesh.up(0, options=OPTIONS)
    assert left_running(mesh) == []


def test_a_service_that_hangs_is_reported_unreachable(sample_mesh: LiveMesh) -> None:
    record = sample_mesh.state.processes["sla"]
    os.kill(record.pid, signal.SIGSTOP)
    try:
        hung = next(member for member in sample_mesh.status() if member.name == "sla")
        assert (hung.running, hung.health) == (True, "UNREACHABLE")
    finally:
        os.kill(record.pid, signal.SIGCONT)
    sample_mesh.recover()


def test_with_a_service_down_the_edge_says_so_at_once_and_the_others_go_on(sample_mesh: LiveMesh) -> None:
    sample_mesh.kill("sla")
    try:
        with grpc.insecure_channel(sample_mesh.edge) as channel:
            down = sample_api.call(channel, "sla/Write")
            with pytest.raises(grpc.RpcError) as refused:
                down(b"", timeout=10, metadata=sample_mesh.bearer("agent"))
            assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
            other = sample_api.call(channel, "retention/Write")
            note = sample_api.note_type("retention").FromString(other(b"", metadata=sample_mesh.bearer("agent")))
        assert "token forwarded" in str(note)
    finally:
        sample_mesh.recover()
