"""What this machine shows of a local server, whatever its URL is spelt like."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from super_agent.core.ollama.processes import connections, same_server, server_pid


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def listen(stack: ExitStack, address: str, port: int = 0) -> int:
    """A listening socket of this process; returns its port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = stack.enter_context(socket.socket(family))
    sock.bind((address, port))
    sock.listen()
    return int(sock.getsockname()[1])


def test_two_spellings_of_one_server_are_the_same(stack: ExitStack) -> None:
    port = listen(stack, "127.0.0.1")
    assert server_pid(f"http://localhost:{port}") == os.getpid()
    assert same_server(f"http://localhost:{port}", f"http://127.0.0.1:{port}")


def test_another_port_or_path_or_machine_is_another_server(stack: ExitStack) -> None:
    here, there = (f"http://127.0.0.1:{listen(stack, '127.0.0.1')}" for _ in range(2))
    assert not same_server(here, f"{here}/ollama")
    assert not same_server(here, "http://192.0.2.1:11434")
    assert not same_server(here, there)  # though one process listens on both


def test_an_address_of_the_other_family_where_nobody_listens_is_another_server(stack: ExitStack) -> None:
    port = listen(stack, "127.0.0.1")
    assert server_pid(f"http://[::1]:{port}") is None
    assert not same_server(f"http://[::1]:{port}", f"http://127.0.0.1:{port}")


def test_spellings_are_compared_by_address_where_nobody_listens() -> None:
    assert same_server("http://localhost:9", "http://127.0.0.1:9")
    assert not same_server("http://localhost:9", "http://127.0.0.1:10")


def test_a_connection_is_seen_with_its_program_and_left_out_where_it_is_ours(stack: ExitStack) -> None:
    port = listen(stack, "127.0.0.1")
    stack.enter_context(socket.create_connection(("127.0.0.1", port)))
    assert connections(f"http://127.0.0.1:{port}", {os.getpid()}) == ()
    assert connections("http://192.0.2.1:11434", ()) is None
