"""Calls over several servers: some dead, some that hang, some that come back."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from sightline.grpc_client import ChannelConfig, Hedging, LoadBalancer, load_balancer

SECONDS = 60.0
METHOD = "/test.Names/Tell"


class NameServer:
    """A server in this process that tells its name, waits while `gate` is clear, and counts calls."""

    def __init__(self, name: str, address: str = "127.0.0.1:0", **options: object) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.calls = 0
        self._name = name.encode()
        self._server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)], **options)
        handlers = {"Tell": grpc.unary_unary_rpc_method_handler(self._tell)}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Names", handlers),))
        self.address = f"{address.rpartition(':')[0]}:{self._server.add_insecure_port(address)}"
        self._server.start()

    def _tell(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        self.calls += 1
        assert self.gate.wait(SECONDS)
        return self._name

    def stop(self) -> None:
        self.gate.set()
        self._server.stop(0).wait()


class FrozenServer:
    """A server in a process of its own, which can be stopped and go on, as a machine whose disk hangs."""

    CODE = """
import grpc, sys
from concurrent.futures import ThreadPoolExecutor
server = grpc.server(ThreadPoolExecutor(8))
tell = grpc.unary_unary_rpc_method_handler(lambda request, context: b"frozen")
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Names", {"Tell": tell}),))
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
sys.stdin.read()
"""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", self.CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.address = f"127.0.0.1:{int(self._process.stdout.readline())}"

    def freeze(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def servers() -> Iterator[list[NameServer | FrozenServer]]:
    """The test's servers, which are stopped at its end."""
    started: list[NameServer | FrozenServer] = []
    yield started
    for server in started:
        server.stop()


@pytest.fixture
def two(servers) -> tuple[NameServer, NameServer]:
    servers += [NameServer("one"), NameServer("two")]
    return servers[0], servers[1]


@pytest.fixture
def frozen(servers) -> FrozenServer:
    servers.append(FrozenServer())
    return servers[-1]


@pytest.fixture
def balancer() -> Iterator[type[LoadBalancer]]:
    """Makes load balancers, which are closed at the test's end."""
    made = []

    def make(*names: str, compression: bool = False, **options: object) -> LoadBalancer:
        config = ChannelConfig(compression=compression)
        made.append(LoadBalancer(names, config, lambda channel: channel.unary_unary(METHOD), **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def tell(balancer: LoadBalancer, **options: object) -> str:
    options = {"seconds": SECONDS, "hedging": Hedging.ON_SILENCE} | options
    return balancer.call(lambda stub: stub, b"", **options).decode()


def until_told(balancer: LoadBalancer, name: str, **options: object) -> None:
    """Call until a server is heard."""
    deadline = time.monotonic() + SECONDS
    while tell(balancer, **options) != name:
        assert time.monotonic() < deadline, f"{name} is not heard"


def test_calls_take_turns(two, balancer):
    both = balancer(*(server.address for server in two))
    assert sorted(tell(both) for _ in range(6)) == ["one"] * 3 + ["two"] * 3


def test_a_read_that_one_server_never_answers_is_answered_by_another(two, balancer):
    first, second = two
    both = balancer(first.address, second.address, attempt_seconds=0.1)
    until_told(both, "one")
    first.gate.clear()
    assert {tell(both) for _ in range(10)} == {"two"}
    first.gate.set()
    until_told(both, "one")


def test_a_stopped_process_is_passed_over_until_it_goes_on(two, frozen, balancer):
    both = balancer(frozen.address, two[0].address, attempt_seconds=0.2)
    until_told(both, "frozen")
    until_told(both, "one")
    frozen.freeze()
    for hedging in (Hedging.ON_SILENCE, Hedging.ON_EJECTION):
        assert {tell(both, hedging=hedging) for _ in range(10)} == {"one"}
    frozen.thaw()
    until_told(both, "frozen")


def test_a_server_that_was_stopped_before_the_first_call_costs_no_answer(two, frozen, balancer):
    frozen.freeze()
    both = balancer(frozen.address, two[0].address, attempt_seconds=0.2)
    assert {tell(both) for _ in range(4)} == {"one"}


def test_long_work_is_not_done_twice_while_its_server_lives(two, balancer):
    # A busy machine has half of that time to answer a health check.
    both = balancer(*(server.address for server in two), attempt_seconds=2.0)
    for server in two:
        server.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(tell, both, hedging=Hedging.ON_EJECTION)
        with pytest.raises(TimeoutError):
            answer.result(3.0)
        for server in two:
            server.gate.set()
        assert answer.result(SECONDS) in ("one", "two")
    assert [server.calls for server in two] in ([1, 0], [0, 1])


def test_a_write_is_never_under_way_at_two_servers(two, balancer):
    both = balancer(*(server.address for server in two), attempt_seconds=0.05)
    for server in two:
        server.gate.clear()
    with pytest.raises(grpc.RpcError) as caught:
        tell(both, hedging=Hedging.NEVER, seconds=1.0)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert [server.calls for server in two] in ([1, 0], [0, 1])


def test_where_none_answers_the_call_ends_at_its_deadline(two, balancer):
    both = balancer(*(server.address for server in two), attempt_seconds=0.05)
    for server in two:
        server.gate.clear()
    with pytest.raises(grpc.RpcError) as caught:
        tell(both, seconds=1.0)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert [server.calls for server in two] == [1, 1]
    for server in two:
        server.gate.set()
    assert tell(both) in ("one", "two")


def test_every_server_is_asked_at_once(two, balancer):
    both = balancer(*(server.address for server in two), "127.0.0.1:1")
    replies = {
        str(address): reply for address, reply in both.call_each(lambda stub: stub, b"", seconds=SECONDS).items()
    }
    assert [replies[server.address] for server in two] == [b"one", b"two"]
    assert replies["127.0.0.1:1"].code() is grpc.StatusCode.UNAVAILABLE


@pytest.fixture
def names(monkeypatch) -> dict[str, list[str]]:
    """A name service of the test's own."""
    known: dict[str, list[str]] = {}

    def look_up(host, port, **options):
        if host not in known:
            raise socket.gaierror(f"{host} is not known")
        kinds = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(kinds[":" in ip], socket.SOCK_STREAM, 6, "", (ip, port)) for ip in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


def test_a_name_may_stand_for_several_servers_and_for_others_later(names, servers, balancer, monkeypatch):
    servers.append(NameServer("one"))
    port = servers[0].address.rpartition(":")[2]
    servers.append(NameServer("two", f"127.0.0.2:{port}"))
    names["nodes"] = ["127.0.0.1", "::1"]
    monkeypatch.setattr(load_balancer, "RESOLVE_SECONDS", 0.0)
    nodes = balancer(f"nodes:{port}")
    assert {tell(nodes) for _ in range(4)} == {"one"}
    names["nodes"] = ["127.0.0.1", "127.0.0.2"]
    until_told(nodes, "two")
    until_told(nodes, "one")
    names["nodes"] = ["127.0.0.2"]
    servers[0].stop()
    assert {tell(nodes) for _ in range(4)} == {"two"}
    del names["nodes"]
    assert {tell(nodes) for _ in range(4)} == {"two"}


def test_a_name_that_is_not_known_is_unavailable(names, balancer):
    with pytest.raises(grpc.RpcError) as caught:
        tell(balancer("nowhere.invalid:1"), seconds=0.5)
    assert caught.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


def test_no_address_is_refused(balancer):
    with pytest.raises(ValueError, match="address"):
        balancer()


def test_answers_come_uncompressed_unless_asked_otherwise(servers, balancer):
    servers.append(NameServer("a name, " * 1000, compression=grpc.Compression.Gzip))
    with pytest.raises(grpc.RpcError, match="not supported: gzip"):
        tell(balancer(servers[0].address))
    assert tell(balancer(servers[0].address, compression=True)) == "a name, " * 1000
