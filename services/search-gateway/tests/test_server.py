"""The real server, as a process."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from threading import Event

import httpx
import psutil
import pytest
from fakes.gateway_server import START_SECONDS, Server, get
from sightline_search_gateway.body_budget import BodyBudget
from waiting import wait_for


@pytest.fixture
def start(tmp_path):
    with ExitStack() as ends:
        yield lambda **settings: ends.enter_context(Server(tmp_path, **settings))


def refuses(server):
    """Return whether a server accepts no more connections."""
    try:
        socket.create_connection(("127.0.0.1", server.port)).close()
    except ConnectionError:
        return True
    return False


def test_sigterm_finishes_what_is_in_hand(start):
    server = start(SLOW_ENCODER=1, GATEWAY_DRAIN_SECONDS=START_SECONDS)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(get, f"{server.url}/api/v1/search?q=cat")
        try:
            wait_for((server.folder / "in-hand").exists)
            server.process.send_signal(signal.SIGTERM)
            wait_for(lambda: refuses(server))
            assert not answer.done()
        finally:
            (server.folder / "go-on").touch()
        response = answer.result()
    assert response.status_code == 200
    assert len(response.json()["results"]) == 3
    assert server.process.wait(START_SECONDS) == 0
    assert refuses(server)
    assert not [line for line in server.lines() if line["level"] in ("error", "critical")]


def test_several_processes_count_together(start):
    server = start(GATEWAY_WORKERS=2)
    workers = server.folder / "workers"
    wait_for(lambda: len(list(workers.iterdir())) == 2)
    sent = 0
    # A connection each, until both processes have answered some.
    while sent < 40 or len(list((server.folder / "metrics").glob("histogram_*.db"))) < 2:
        get(f"{server.url}/api/v1/search?q=cat{sent}")
        sent += 1
    text = get(f"{server.url}/metrics").text
    assert f'sightline_gateway_step_seconds_count{{step="encode"}} {sent}.0' in text
    family = [psutil.Process(server.process.pid), *psutil.Process(server.process.pid).children()]
    assert len(family) == 3
    [resident] = re.findall(r"^process_resident_memory_bytes (.+)$", text, re.MULTILINE)
    assert float(resident) == pytest.approx(sum(process.memory_info().rss for process in family), rel=0.1)


def test_one_line_a_request(start):
    server = start()
    get(f"{server.url}/api/v1/search?q=cat", headers={"X-Request-ID": "abc"})
    [line] = [line for line in server.lines() if line["event"] == "request"]
    assert line["request_id"] == "abc"
    assert line["service"] == "search-gateway"
    assert line["status"] == 200
    assert line["results"] == 3
    assert line["ms"] > 0


KEYS = {"GATEWAY_API_KEYS": "a-key-that-may-change", "GATEWAY_READ_KEYS": "a-key-that-only-reads"}


def test_a_session_is_one_in_every_process(start):
    server = start(GATEWAY_WORKERS=2, **KEYS)
    answer = httpx.post(f"{server.url}/api/v1/session", json={"key": KEYS["GATEWAY_READ_KEYS"]}, timeout=START_SECONDS)
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    for _ in range(20):
        assert get(f"{server.url}/api/v1/search?q=cat").status_code == 401
        assert get(f"{server.url}/api/v1/search?q=cat", headers={"Cookie": cookie}).status_code == 200
    assert get(f"{server.url}/api/v1/search?q=cat", headers={"Cookie": b"sightline_session=\xff"}).status_code == 401
    assert "a-key" not in server.log.read_text()


def test_what_a_proxy_says_arrives(start):
    server = start(GATEWAY_TRUSTED_PROXIES="127.0.0.0/8", GATEWAY_TRUSTED_USER_HEADER="X-Forwarded-User", **KEYS)

    def user(*headers):
        return get(f"{server.url}/api/v1/session", headers=list(headers)).json()["user"]

    assert user(("X-Forwarded-User", "alice")) == "alice"
    assert user(("X-Forwarded-User", "mallory"), ("X-Forwarded-User", "alice")) is None
    assert user(("X_Forwarded_User", "mallory")) is None
    assert user(("X-Forwarded-User", "alice"), ("X_Forwarded_User", "mallory")) == "alice"
    get(f"{server.url}/api/v1/search?q=cat", headers={"X-Forwarded-User": "alice"})
    assert [line["user"] for line in server.lines() if line["event"] == "request" and "user" in line] == ["alice"]
    key, tls = {"key": KEYS["GATEWAY_API_KEYS"]}, {"X-Forwarded-Proto": "https"}
    answer = httpx.post(f"{server.url}/api/v1/session", json=key, headers=tls, timeout=START_SECONDS)
    assert "Secure" in answer.headers["Set-Cookie"]


def talk(server, data, seconds=START_SECONDS):
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as client:
        client.sendall(data)
        answer = b""
        try:
            while chunk := client.recv(65536):
                answer += chunk
        except ConnectionResetError:
            # Closed before all that was sent had been read.
            assert answer
    return answer


CHUNKED = (
    b"POST /api/v1/maps HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


def test_what_is_no_request_is_a_problem_too(start):
    server = start()
    for data, status in (
        (b"NONSENSE\r\n\r\n", b"400"),
        (b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", b"431"),
        (b"POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999999\r\n\r\n", b"413"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nbad header: x\r\n\r\n", b"400"),
        (b"GET http://[/ HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", b"400"),
        (CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n", b"400"),
        (CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n", b"400"),
        (CHUNKED + b"2\r\n{}xx\r\n0\r\n\r\n", b"400"),
        (CHUNKED + b"2;a=\x00\r\n{}\r\n0\r\n\r\n", b"400"),
        (CHUNKED + b"0" * 100_000, b"400"),
        (CHUNKED + b"2\r\n{}\r\n0\r\n" + b"a: b\r\n" * 20_000, b"400"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", b"501"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: [evil.example]\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: %65vil.example\r\n\r\n", b"400"),
        (b"GET http://a@b/ HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\n") + b"2\r\n{}\r\n0\r\n\r\n", b"400"),
        (CHUNKED.replace(b": chunked", b": chunked, chunked") + b"2\r\n{}\r\n0\r\n\r\n", b"400"),
        (CHUNKED.replace(b"\r\n\r\n", b"\r\ntransfer-encoding:chunked\r\n\r\n") + b"2\r\n{}\r\n0\r\n\r\n", b"400"),
        (CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0") + b"2\r\n{}\r\n0\r\n\r\n", b"400"),
    ):
        head, _, body = talk(server, data).partition(b"\r\n\r\n")
        assert head.split()[1] == status
        assert b"application/problem+json" in head
        problem = json.loads(body)
        assert problem["status"] == int(status)
        assert len(problem["detail"]) > 20
    # The host in the address is the one that counts.
    absolute = b"GET http://%s/api/v1/stats HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
    assert talk(server, absolute % (b"evil.example", b"localhost")).split()[1] == b"421"
    assert talk(server, absolute % (b"localhost:1", b"evil.example")).split()[1] == b"200"
    # A request that can be read, in chunks and without a Host where the protocol has none.
    assert talk(server, b"GET /healthz HTTP/1.0\r\n\r\n").split()[1] == b"200"
    assert b"line 1, column 2" in talk(server, CHUNKED + b"1\r\n{\r\n1\r\nx\r\n0\r\n\r\n")
    assert not [line for line in server.lines() if line["level"] in ("error", "critical")]


def test_clients_that_send_nothing_more_are_cut_off(start):
    server = start(GATEWAY_SOCKET_SECONDS=1)
    upload = b"POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
    upload += b"Content-Type: multipart/form-data; boundary=sep\r\n\r\n--sep\r\n"
    for begun in (b"GET /healthz HTTP/1.1\r\nHost: loc", upload):
        head, _, body = talk(server, begun, START_SECONDS).partition(b"\r\n\r\n")
        assert head.split()[1] == b"408"
        assert b"application/problem+json" in head
        assert json.loads(body)["status"] == 408
    assert talk(server, b"", START_SECONDS) == b""
    assert get(f"{server.url}/healthz").status_code == 200


def begin(server, data):
    """Return a connection that has sent something."""
    client = socket.create_connection(("127.0.0.1", server.port), timeout=START_SECONDS)
    client.sendall(data)
    return client


@contextmanager
def trickling(clients, seconds=0.5):
    """Have clients send a byte each again and again."""
    ended = Event()

    def trickle():
        while not ended.wait(seconds):
            for client in clients:
                client.sendall(b"x")

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(trickle)
        yield
        ended.set()
        sending.result()


BODY = (
    b"POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
    b"Content-Type: multipart/form-data; boundary=sep\r\n\r\n--sep\r\n"
)


@pytest.mark.parametrize(
    ("count", "sent", "goes_on"),
    [(20, BODY, True), (90, b"GET /healthz HTTP/1.1\r\nX-", False), (300, b"", False)],
    ids=["slow bodies", "half-sent headers", "idle connections"],
)
def test_slow_clients_hold_up_nobody(start, count, sent, goes_on):
    server = start(GATEWAY_THREADS=4, GATEWAY_SOCKET_SECONDS=600)
    slow = [begin(server, sent) for _ in range(count)]
    try:
        with trickling(slow if goes_on else []):
            for number in range(20):
                assert get(f"{server.url}/healthz").status_code == 200
                query = f"{server.url}/api/v1/search?q=cat{number}"
                assert len(get(query).json()["results"]) == 3
        for client in slow:
            client.setblocking(False)
            with pytest.raises(BlockingIOError):
                client.recv(1)
    finally:
        for client in slow:
            client.close()


def test_health_answers_while_all_threads_are_busy(start):
    server = start(GATEWAY_THREADS=2, SLOW_ENCODER=1)
    with ThreadPoolExecutor() as pool:
        queries = [f"{server.url}/api/v1/search?q=cat{number}" for number in range(6)]
        searches = [pool.submit(httpx.get, query, timeout=2 * START_SECONDS) for query in queries]
        try:
            wait_for((server.folder / "in-hand").exists)
            for path in ("healthz", "readyz", "metrics"):
                assert get(f"{server.url}/{path}").status_code == 200
            # One waits for the encoder; those that would wait as well are refused after a moment.
            assert not all(search.done() for search in searches)
        finally:
            (server.folder / "go-on").touch()
        assert {search.result().status_code for search in searches} <= {200, 429}


def test_a_process_that_dies_is_replaced(start):
    server = start(GATEWAY_WORKERS=2)
    workers = server.folder / "workers"
    wait_for(lambda: len(list(workers.iterdir())) == 2)
    [first, *_] = psutil.Process(server.process.pid).children()
    first.kill()
    wait_for(lambda: len(list(workers.iterdir())) == 3)
    assert get(f"{server.url}/api/v1/search?q=cat").status_code == 200


def test_no_process_outlives_the_one_that_was_started(start):
    server = start(GATEWAY_WORKERS=2)
    children = psutil.Process(server.process.pid).children()
    server.process.kill()
    server.process.wait()
    wait_for(lambda: not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children))


def test_what_cannot_start_is_not_tried_again(tmp_path):
    server = Server(tmp_path, BROKEN=1)
    assert server.process.wait(START_SECONDS) != 0
    assert len(list((tmp_path / "workers").iterdir())) == 0
    assert [line["error"] for line in server.lines() if line["event"] == "cannot start"] == ["broken"]


def test_help_says_where_the_settings_are():
    result = subprocess.run(
        [sys.executable, "-m", "sightline_search_gateway", "--help"], capture_output=True, text=True, check=True
    )
    assert "README.md" in result.stdout


def test_a_wrong_setting_stops_the_start_with_one_line(tmp_path):
    stores = {"BUCKET_URL": (tmp_path / "a").as_uri(), "THUMBNAIL_URL": (tmp_path / "b").as_uri()}
    environment = {**os.environ, **stores, "GATEWAY_PORT": "eighty"}
    result = subprocess.run(
        [sys.executable, "-m", "sightline_search_gateway"], capture_output=True, text=True, env=environment, check=False
    )
    assert result.returncode == 2
    [line] = result.stderr.splitlines()
    assert "GATEWAY_PORT=eighty" in line


def test_a_slow_reader_of_files_holds_up_nobody(start):
    # More than a socket, and waitress by itself, would take.
    server = start(GATEWAY_THREADS=2, BIG_FILE=40_000_000)
    files = {one["key"]: one["file_url"] for one in get(f"{server.url}/api/v1/images").json()["images"]}
    request = f"GET {files['big.jpg']} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    slow = [begin(server, request) for _ in range(4)]
    try:
        for number in range(5):
            assert get(f"{server.url}/api/v1/search?q=cat{number}").status_code == 200
        assert get(f"{server.url}{files['colors/red.jpg']}").status_code == 200
    finally:
        for client in slow:
            client.close()


HEAD = (
    "{} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {type}\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n"
    "{more}\r\n"
)
FORM, JSON = "multipart/form-data; boundary=sep", "application/json"
UPLOAD = "POST /api/v1/images"


def head(line, *, host="localhost", kind=FORM, length=200_000_000, **more):
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in more.items())
    return HEAD.format(line, host=host, type=kind, length=length, more=lines).encode()


def test_no_body_is_taken_of_what_will_be_refused(start):
    server = start(**KEYS)
    reads, changes = KEYS["GATEWAY_READ_KEYS"], KEYS["GATEWAY_API_KEYS"]
    for sent, status, kind in (
        (head(UPLOAD), 401, "key-required"),
        (head(UPLOAD, X_API_Key="a-wrong-key-of-somebody"), 401, "key-required"),
        (head(UPLOAD, X_API_Key=reads), 403, "not-allowed"),
        (head(UPLOAD, X_API_Key=changes), 403, "read-only-bucket"),
        (head(UPLOAD, X_API_Key=changes, Origin="http://evil.example"), 403, "cross-origin"),
        (head(UPLOAD, X_API_Key=changes, length=2**40), 413, "too-large"),
        (head("POST /api/v1/search"), 401, "key-required"),
        (head("POST /api/v1/search", X_API_Key=reads), 413, "too-large"),
        (head("POST /api/v1/search", X_API_Key=reads, kind=JSON, length=2**21), 413, "too-large"),
        (head("POST /api/v1/search", X_API_Key=reads, kind="text/plain", length=9), 415, None),
        (head("POST /api/v1/session", kind=JSON), 413, "too-large"),
        (head("POST /api/v1/ingest/rescan", X_API_Key=changes, kind=JSON), 413, "too-large"),
        (head("GET /api/v1/stats", X_API_Key=changes), 413, "too-large"),
        (head("POST /nowhere"), 404, None),
        (head("PUT /api/v1/stats", X_API_Key=changes, length=9), 405, None),
        (head("POST /api/v1/session", host="evil.example"), 421, "unknown-host"),
    ):
        answer, _, body = talk(server, sent).partition(b"\r\n\r\n")
        problem = json.loads(body)
        assert (problem["status"], int(answer.split()[1])) == (status, status), sent
        assert problem["type"] == (f"urn:sightline:problem:{kind}" if kind else "about:blank")
        assert b"connection: close" in answer.lower()
    # As many log lines as requests, as for others.
    lines = [line for line in server.lines() if line["event"] == "request"]
    assert [line["status"] for line in lines][-1] == 421
    assert not [line for line in server.lines() if line["level"] in ("error", "critical")]
    chunked = head("POST /api/v1/session", kind=JSON).replace(
        b"Content-Length: 200000000", b"Transfer-Encoding: chunked"
    )
    with begin(server, chunked) as client:
        assert client.recv(100).startswith(b"HTTP/1.1 100 ")
        client.sendall(b"8000\r\n" + b" " * 0x8000)
        assert client.recv(100).startswith(b"HTTP/1.1 413 ")


def test_who_sends_a_body_all_the_same_gets_the_answer(start):
    server = start(**KEYS)
    form = {"files": ("a.jpg", bytes(30_000_000))}
    for _ in range(3):
        answer = httpx.post(f"{server.url}/api/v1/images", files=form, timeout=START_SECONDS)
        assert answer.status_code == 401


def picture_search(length):
    return head("POST /api/v1/search", length=length)


def test_bodies_have_a_budget(start):
    server = start(GATEWAY_UPLOAD_MAX_BYTES=1_000_000, IMAGE_MAX_BYTES=1_000_000)

    def asked():
        with begin(server, picture_search(1_300_000)) as client:
            answer = b""
            while not answer.endswith((b"}", b" 100 Continue\r\n\r\n")):
                answer += client.recv(5000)
            return answer

    with begin(server, picture_search(1_300_000)) as first:
        assert b"100 Continue" in first.recv(100)
        first.sendall(bytes(500_000))
        refused = asked()
        assert refused.split()[1] == b"503"
        assert b"no-room" in refused
        assert b"retry-after: 5" in refused.lower()
        # What is small is taken, and whoever needs no room is served.
        assert httpx.post(f"{server.url}/api/v1/search", files={"q": (None, "cat")}).status_code == 200
        assert get(f"{server.url}/api/v1/search?q=cat").status_code == 200
    wait_for(lambda: b"100 Continue" in asked())


def test_a_full_folder_of_temporary_files_is_an_answer(start):
    server = start(LARGEST_FILE=1_000_000)
    for _ in range(2):
        answer = httpx.post(f"{server.url}/api/v1/search", files={"file": ("a.jpg", bytes(5_000_000))}, timeout=60)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert answer.json()["type"] == "urn:sightline:problem:no-room"
        assert get(f"{server.url}/api/v1/search?q=cat").status_code == 200


def test_the_room_for_bodies_is_of_all_processes():
    budget = BodyBudget(limit=1000, processes=2)
    budget.use_place(0)
    assert budget.take(200)
    budget.use_place(1)
    assert not budget.take(301)
    assert budget.take(300)
    budget.give_back(100)
    assert budget.take(100)
    # A process that takes the place of one that died begins with nothing.
    budget.use_place(0)
    assert budget.take(200)
    assert not budget.take(1)


@pytest.mark.parametrize(
    ("sent", "bit", "status"),
    [(b"GET /healthz HTTP/1.1\r\nX-", b"x", {b"408"}), (BODY, b"x", {b"408"}), (b"", b"\r\n", {b"408", b""})],
    ids=["headers", "a body", "blank lines"],
)
def test_clients_that_trickle_are_cut_off(start, sent, bit, status):
    server = start(GATEWAY_SOCKET_SECONDS=1)
    with begin(server, sent) as client:
        client.settimeout(0.3)
        answer = None
        while answer is None:
            try:
                client.sendall(bit)
                answer = client.recv(5000)
            except TimeoutError:
                pass
            except ConnectionError:
                answer = b""
        assert answer[9:12] in status
    assert get(f"{server.url}/healthz").status_code == 200


def test_clients_that_take_no_answers_are_cut_off(start):
    server = start(GATEWAY_SOCKET_SECONDS=1, GATEWAY_THREADS=2, BIG_FILE=20_000_000, IMAGE_MAX_BYTES=1_000_000)
    files = {one["key"]: one["file_url"] for one in get(f"{server.url}/api/v1/images").json()["images"]}
    request = f"GET {files['big.jpg']} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    slow = [begin(server, request * 4) for _ in range(4)]
    try:
        # All threads wait for them at first.
        assert get(f"{server.url}/api/v1/search?q=cat").status_code == 200
    finally:
        for client in slow:
            client.close()


@pytest.mark.parametrize(("proxies", "closed"), [("", True), ("127.0.0.1", False)])
def test_one_address_has_a_share_of_the_connections(start, proxies, closed):
    server = start(GATEWAY_TRUSTED_PROXIES=proxies, GATEWAY_SOCKET_SECONDS=600)
    clients = [begin(server, b"") for _ in range(510)]
    try:
        last = clients[-1]
        last.settimeout(START_SECONDS)
        try:
            last.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = last.recv(1000)
        except ConnectionError:
            answer = b""
        assert (answer == b"") is closed
        warned = [line["event"] for line in server.lines() if "too many connections" in line["event"]]
        assert len(warned) == closed
    finally:
        for client in clients:
            client.close()
    wait_for(lambda: get(f"{server.url}/healthz").status_code == 200)
