"""The table of ports."""

import socket

import pytest

from cli.console import CommandError
from cli.mesh.ports import LOOPBACK, SPAN, TABLE, from_base, is_free, pick_base, require_free


def test_offsets_and_names_are_unique_and_fit_between_two_bases() -> None:
    assert len({port.offset for port in TABLE}) == len({port.name for port in TABLE}) == len(TABLE)
    assert max(port.offset for port in TABLE) < SPAN


@pytest.mark.parametrize("base", [-1, 80, 65_530, 100_000])
def test_a_base_without_room_for_all_ports_is_refused(base: int) -> None:
    with pytest.raises(CommandError, match="--port-base"):
        from_base(base)


def test_a_picked_base_has_only_free_ports_and_the_next_pick_is_another() -> None:
    first = pick_base()
    assert all(is_free(port) for port in from_base(first).values())
    assert pick_base() != first


def test_a_block_with_one_taken_port_is_passed_over() -> None:
    with socket.create_server((LOOPBACK, from_base(pick_base())["sla"])) as taken:
        assert not is_free(taken.getsockname()[1])
        assert taken.getsockname()[1] not in from_base(pick_base()).values()


def test_a_port_in_use_is_reported_with_who_needs_it_and_who_has_it() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=rf"port {port}, which mongod needs, is in use by process \d+"):
            require_free({"mongod": port})


def test_a_port_whose_connections_linger_counts_as_free() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection((LOOPBACK, port)) as client:
            accepted, _ = server.accept()
            accepted.close()
            assert client.recv(1) == b""
    assert is_free(port)
