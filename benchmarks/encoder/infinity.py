"""infinity_emb, another server of text embeddings, over the same all-MiniLM-L6-v2: for comparison only.

It is installed on demand into an environment of its own, `.cache/infinity`, and serves HTTP. Nothing else needs it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import httpx
from sightline_encoder.models.embedded import INSTALL, TEXT_CONFIG, TEXT_PACKAGE
from sightline_encoder.models.files import package_folder
from sightline_local.stack import free_port

from benchmarks import collection
from benchmarks.encoder import server
from benchmarks.encoder.clients import Call
from benchmarks.encoder.server import Server

FOLDER = collection.ROOT / ".cache" / "infinity"
REQUIREMENTS = collection.ROOT / "requirements" / "infinity.txt"
TORCH = REQUIREMENTS.with_name("torch.txt")
ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", "INFINITY_ANONYMOUS_USAGE_STATS": "0"}


class NotInstalled(Exception):
    """It cannot be had here; the message says why in one line."""


def install() -> Path:
    """Return the program, installed if it is not there yet or its requirements have changed.

    Raises:
        NotInstalled: The installation fails.
    """
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    done = FOLDER / "requirements.sha256"
    program = FOLDER / "bin" / "infinity_emb"
    if done.is_file() and done.read_text() == wanted:
        return program
    print("installing infinity_emb into .cache/infinity (minutes, once)", file=sys.stderr)
    pip = [str(FOLDER / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    commands = (
        [sys.executable, "-m", "venv", str(FOLDER)],
        [*pip, "install", "--no-deps", "--require-hashes", "-r", str(REQUIREMENTS)],
        [*pip, "install", "-r", str(TORCH)],
    )
    for command in commands:
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if ran.returncode:
            lines = [line for line in ran.stderr.splitlines() if line.strip()]
            raise NotInstalled(f"infinity_emb cannot be installed: {lines[-1][:200] if lines else 'pip failed'}")
    done.write_text(wanted)
    return program


@contextmanager
def serving() -> Iterator[Server]:
    """Run it over the text tower's folder until the block ends.

    Raises:
        NotInstalled: It cannot be installed.
        NotServing: It does not come up.
    """
    folder = package_folder(TEXT_PACKAGE, INSTALL) / Path(TEXT_CONFIG[0]).parent
    port = free_port()
    command = [str(install()), "v2", "--model-id", str(folder), "--engine", "torch", "--device", "cpu"]
    command += ["--no-bettertransformer", "--no-model-warmup", "--host", "127.0.0.1", "--port", str(port)]

    def ready() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/health", timeout=1).status_code == 200
        except httpx.HTTPError:
            return False

    with server.process(command, ENVIRONMENT, ready) as running:
        yield Server(f"127.0.0.1:{port}", 0, running)


def callers(address: str, texts: Sequence[str], count: int) -> list[Call]:
    """Return clients that ask for one text at a time, each over one HTTP connection that stays open.

    They write and read HTTP by hand: a library for it would cost more than the server's own share of a request.
    """
    words = cycle(texts)
    return [_caller(address, words) for _ in range(count)]


def _caller(address: str, words: Iterator[str]) -> Call:
    host, _, port = address.partition(":")
    streams: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def call() -> int:
        if not streams:
            streams.append(await asyncio.open_connection(host, int(port)))
        reader, writer = streams[0]
        body = json.dumps({"model": "model", "input": [next(words)]}).encode()
        head = f"POST /embeddings HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        status, *headers = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        length = next(int(line.split(":")[1]) for line in headers if line.lower().startswith("content-length:"))
        answer = await reader.readexactly(length)
        if " 200 " not in f"{status} ":
            raise server.NotServing(f"infinity_emb answered {status}: {answer[:200].decode(errors='replace')}")
        return len(json.loads(answer)["data"])

    return call
