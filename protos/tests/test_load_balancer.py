"""Calls over several servers: some dead, some that hang, some that come back."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from sightline.grpc_client import ChannelConfig, Hedging, LoadBalancer, load_balancer
from sightline.grpc_client import servers as servers_module
from sightline.grpc_client.channels import look_up

SECONDS = 60.0
METHOD = "/test.Names/Tell"


class NameServer:
    """A server in this process that tells its name.

    Attributes:
        gate: While it is clear, calls wait.
        health_gate: While it is clear, health checks wait.
        failure: With what calls end.
        calls: How many there were.
        checks: How many health checks were answered.
    """

    def __init__(self, name: str, address: str = "127.0.0.1:0", **options: object) -> None:
        self.gate, self.health_gate = threading.Event(), threading.Event()
        self.gate.set()
        self.health_gate.set()
        self.failure: grpc.StatusCode | None = None
        self.calls = self.checks = 0
        self._name = name.encode()
        self._server = grpc.server(ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0)], **options)
        for service, method, handler in (
            ("test.Names", "Tell", self._tell),
            ("grpc.health.v1.Health", "Check", self._check),
        ):
            handlers = {method: grpc.unary_unary_rpc_method_handler(handler)}
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        self.address = f"{address.rpartition(':')[0]}:{self._server.add_insecure_port(address)}"
        self._server.start()

    def _tell(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        self.calls += 1
        assert self.gate.wait(SECONDS)
        if self.failure is not None:
            context.abort(self.failure, "as requested")
        return self._name

    def _check(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        assert self.health_gate.wait(SECONDS)
        self.checks += 1
        return b""

    def stop(self) -> None:
        self.gate.set()
        self.health_gate.set()
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
        os.waitpid(self._process.pid, os.WUNTRACED)

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


def until(is_so: Callable[[], object]) -> None:
    """Do something until it is so."""
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline


def wait_until(is_so: Callable[[], object]) -> None:
    """Wait until something is so."""
    until(lambda: is_so() or time.sleep(0.01))


def until_told(balancer: LoadBalancer, name: str, **options: object) -> None:
    """Call until a server is heard."""
    until(lambda: tell(balancer, **options) == name)


def test_calls_are_spread(two, balancer):
    both = balancer(*(server.address for server in two))
    assert {tell(both) for _ in range(40)} == {"one", "two"}


def test_a_busy_server_gets_fewer_calls(two, balancer):
    first, second = two
    both = balancer(first.address, second.address, attempt_seconds=SECONDS)
    first.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(until_told, both, "one")
        wait_until(lambda: first.calls == 1)
        assert {tell(both) for _ in range(20)} == {"two"}
        first.gate.set()
        waiting.result(SECONDS)


def test_a_read_that_one_server_never_answers_is_answered_by_another(two, balancer, monkeypatch):
    """It is passed over for its time, though it answers health checks: here, after the other one has answered."""
    monkeypatch.setattr(servers_module, "FIRST_EJECTION_SECONDS", SECONDS)
    first, second = two
    both = balancer(first.address, second.address, attempt_seconds=0.2)
    first.gate.clear()
    first.health_gate.clear()
    until(lambda: tell(both) == "two" and first.calls)
    first.health_gate.set()
    assert {tell(both) for _ in range(50)} == {"two"}
    assert first.calls == 1


def test_a_server_comes_back_after_its_time(two, balancer, monkeypatch):
    monkeypatch.setattr(servers_module, "FIRST_EJECTION_SECONDS", 0.1)
    first, second = two
    both = balancer(first.address, second.address, attempt_seconds=0.2)
    first.gate.clear()
    until(lambda: tell(both) == "two" and first.calls)
    first.gate.set()
    until_told(both, "one")


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INTERNAL, grpc.StatusCode.CANCELLED]
)
def test_a_read_that_one_server_cannot_answer_is_answered_by_another(two, balancer, code):
    two[0].failure = code
    both = balancer(*(server.address for server in two))
    assert {tell(both) for _ in range(20)} == {"two"}
    two[1].failure = code
    with pytest.raises(grpc.RpcError) as caught:
        tell(both, tries=1)
    assert caught.value.code() is code


def test_a_good_answer_counts_though_the_second_server_cannot_answer(two, balancer):
    first, second = two
    second.failure = grpc.StatusCode.INTERNAL
    first.gate.clear()
    both = balancer(first.address, second.address, attempt_seconds=0.2)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(tell, both)
        wait_until(lambda: first.calls and second.calls)
        first.gate.set()
        assert answer.result(SECONDS) == "one"


def test_what_will_not_change_is_not_asked_twice(two, balancer):
    for server in two:
        server.failure = grpc.StatusCode.NOT_FOUND
    with pytest.raises(grpc.RpcError):
        tell(balancer(*(server.address for server in two)))
    assert sum(server.calls for server in two) == 1


def test_servers_that_are_all_slow_are_not_asked_twice_for_ever(two, balancer, monkeypatch):
    monkeypatch.setattr(load_balancer, "HEDGES", 2.0)
    monkeypatch.setattr(load_balancer, "HEDGES_PER_CALL", 0.0)
    # A busy machine has half of that time to answer a health check.
    both = balancer(*(server.address for server in two), attempt_seconds=2.0)
    for server in two:
        server.gate.clear()
    with ThreadPoolExecutor(6) as pool:
        answers = [pool.submit(tell, both) for _ in range(6)]
        wait_until(lambda: sum(server.calls for server in two) == 8)
        with pytest.raises(TimeoutError):
            answers[0].result(1.0)
        assert sum(server.calls for server in two) == 8
        for server in two:
            server.gate.set()
        assert all(answer.result(SECONDS) for answer in answers)


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


def test_a_write_is_never_under_way_at_two_servers_and_the_next_goes_elsewhere(two, balancer, monkeypatch):
    monkeypatch.setattr(servers_module, "FIRST_EJECTION_SECONDS", SECONDS)
    both = balancer(*(server.address for server in two), attempt_seconds=0.2)
    for server in two:
        server.gate.clear()
    with pytest.raises(grpc.RpcError) as caught:
        tell(both, hedging=Hedging.NEVER, seconds=3.0)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    hung, other = two if two[0].calls else two[::-1]
    assert [hung.calls, other.calls] == [1, 0]
    other.gate.set()
    for _ in range(10):
        tell(both, hedging=Hedging.NEVER)
    assert [hung.calls, other.calls] == [1, 10]


def test_where_none_answers_the_call_ends_at_its_deadline(two, balancer):
    both = balancer(*(server.address for server in two), attempt_seconds=0.05)
    for server in two:
        server.gate.clear()
    with pytest.raises(grpc.RpcError) as caught:
        tell(both, seconds=3.0)
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
    names["nodes"] = ["127.0.0.1"]
    monkeypatch.setattr(servers_module, "LOOK_UP_SECONDS", 0.0)
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


def test_a_name_that_is_not_known_at_first_is_looked_up_again(names, two, balancer, monkeypatch):
    monkeypatch.setattr(servers_module, "SOON_SECONDS", 0.05)
    port = two[1].address.rpartition(":")[2]
    nodes = balancer(two[0].address, f"nodes.invalid:{port}")
    assert {tell(nodes) for _ in range(4)} == {"one"}
    names["nodes.invalid"] = ["127.0.0.1", "127.0.0.1"]
    until_told(nodes, "two")
    # Unknown for a moment, it is not forgotten.
    del names["nodes.invalid"]
    two[0].stop()
    assert {tell(nodes) for _ in range(20)} == {"two"}


def test_a_name_that_is_not_known_is_unavailable(names, balancer):
    with pytest.raises(grpc.RpcError) as caught:
        tell(balancer("nowhere.invalid:1"), seconds=0.5)
    assert caught.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


@pytest.mark.parametrize(
    ("ips", "targets"),
    [
        (["10.0.0.1", "::1"], ["nodes:1"]),
        (["10.0.0.1", "10.0.0.2", "::1"], ["10.0.0.1:1", "10.0.0.2:1"]),
        (["::1", "::2"], ["[::1]:1", "[::2]:1"]),
    ],
)
def test_addresses_of_both_families(names, ips, targets):
    names["nodes"] = ips
    assert [address.target for address in look_up("nodes:1", tls=False)] == targets


def test_a_unix_socket_is_what_it_is_called():
    [address] = look_up("unix:/run/qdrant", tls=False)
    assert (address.target, str(address), address.is_fixed) == ("unix:/run/qdrant", "unix:/run/qdrant", True)


def test_behind_a_proxy_names_are_left_to_it(names, monkeypatch):
    names["nodes"] = ["10.0.0.1"]
    monkeypatch.setenv("http_proxy", "http://proxy.invalid:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert [address.target for address in look_up("nodes:1", tls=True)] == ["nodes:1"]
    assert [address.target for address in look_up("nodes:1", tls=False)] == ["10.0.0.1:1"]
    monkeypatch.setenv("no_proxy", "nodes")
    assert [address.target for address in look_up("nodes:1", tls=True)] == ["10.0.0.1:1"]


@pytest.mark.parametrize("names", [[], ["nohost"], [":1"], ["host:port"], ["host:0"]])
def test_what_is_no_address_is_refused(balancer, names):
    with pytest.raises(ValueError, match=r"address is needed|not HOST:PORT"):
        balancer(*names)


def test_a_name_that_cannot_be_one_is_unavailable(balancer):
    with pytest.raises(grpc.RpcError):
        tell(balancer("a..b:1"), seconds=0.5)


def test_closing_costs_the_calls_of_other_threads_nothing(two, balancer):
    both = balancer(*(server.address for server in two))
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(lambda: [tell(both) for _ in range(50)]) for _ in range(4)]
        while not all(call.done() for call in calls):
            both.close()
            time.sleep(0.01)
        for call in calls:
            assert set(call.result(SECONDS)) <= {"one", "two"}


def _tell_into(balancer: LoadBalancer, answers: multiprocessing.Queue) -> None:
    answers.put(tell(balancer))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_while_a_lock_is_held_harms_no_child(two, balancer):
    both = balancer(two[0].address)
    tell(both)
    fork = multiprocessing.get_context("fork")
    answers = fork.Queue()
    with both._pool._lock:
        child = fork.Process(target=_tell_into, args=(both, answers))
        child.start()
    try:
        assert answers.get(timeout=SECONDS) == "one"
    finally:
        child.kill()
        child.join()
    assert tell(both) == "one"


def test_answers_come_uncompressed_unless_asked_otherwise(servers, balancer):
    servers.append(NameServer("a name, " * 1000, compression=grpc.Compression.Gzip))
    with pytest.raises(grpc.RpcError, match="not supported: gzip"):
        tell(balancer(servers[0].address))
    assert tell(balancer(servers[0].address, compression=True)) == "a name, " * 1000
