"""Runs Sightline on this machine, without Docker.

python -m sightline_local demo     start everything and stay, until Ctrl-C
python -m sightline_local smoke    start everything, search, print the top five, stop
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from sightline_local import samples
from sightline_local.chosen_settings import read_chosen_settings
from sightline_local.private_folders import PRIVATE_UMASK, close, make_private
from sightline_local.readiness import IngestState, NotReady, images_encoded, ingest_state, wait_until_ready
from sightline_local.stack import ROOT, PortTaken, Stack, choose_ports, state_name
from sightline_local.supervisor import Supervisor

DATA = ROOT / "data"
OURS = {"models", "samples", "samples-captions.json", "state"}
"""What is in a folder of data."""
DEFAULT_PORT = 8080
ENCODER_PORT = 50051
YES, NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
SMOKE_QUERIES = ["a fruit", "a bird", "a car"]
FIRST_START = "some seconds longer, for the names that the model knows"
FIRST_FETCH = "{} is fetched and converted, which takes minutes"
PAGE = ROOT / "services/web/dist"
DOCS = ROOT / "services/web/node_modules/swagger-ui-dist"

console = Console(stderr=True, highlight=False, soft_wrap=True)


class CannotStart(Exception):
    """A prerequisite is missing; the message says which, and what to do."""


def parse_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m sightline_local", description="Sightline without Docker")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (
        ("demo", "start everything and stay until Ctrl-C"),
        ("smoke", "start everything, search, print the top five and stop"),
    ):
        command = commands.add_parser(name, help=what, description=what)
        command.add_argument("--images", type=Path, help="a folder of pictures, only read (default: sample pictures)")
        command.add_argument("--data", type=Path, default=DATA, help="where the data goes (default: data/)")
        command.add_argument("--port", type=int, help=f"the page's port (default: {DEFAULT_PORT}; smoke: any free one)")
        command.add_argument("--model", help="the models to serve, as ENCODER_MODELS takes them (default: embedded)")
        command.add_argument(
            "--writable", type=yes_or_no, help="1: the page may add and delete pictures; 0: it may not"
        )
        command.add_argument("--query", action="append", help="smoke: what to search for; may be repeated")
    return parser.parse_args()


def yes_or_no(text: str) -> bool:
    """Return what the value of a variable of make means.

    Raises:
        ValueError: Neither yes nor no.
    """
    if text.lower() not in (*YES, *NO):
        raise ValueError(text)
    return text.lower() in YES


def choose_bucket(images: Path | None, data: Path) -> tuple[Path, bool]:
    """Return the folder of pictures, and whether the page may write into it where nothing else is chosen.

    Raises:
        CannotStart: The folder does not exist.
        samples.SamplesUnavailable: The samples cannot be fetched.
    """
    if images is not None:
        folder = images.expanduser()
        if not folder.is_dir():
            raise CannotStart(f"IMAGES={images} is not a folder")
        return folder, False
    folder = data / "samples"
    if not folder.is_dir():
        with console.status("Fetching the sample pictures (160 MB)"):
            count = samples.fetch(folder)
        console.print(f"Fetched {count} sample pictures")
    return folder, True


def make_data_folder(data: Path, bucket: Path) -> None:
    """Create the data folder for its owner alone, or take the rights to it and to the samples from others.

    A folder of somebody's own choice in which other things lie is left as it is, but for what is made in it.
    """
    found = {path.name for path in data.iterdir()} if data.is_dir() else set()
    is_ours = not data.is_symlink() and (data.resolve() == DATA or found <= OURS)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if is_ours:
        close(data)
    make_private(data / "state")
    if bucket == data / "samples" and not bucket.is_symlink():
        make_private(bucket)


@contextlib.contextmanager
def lock_state(state: Path) -> Iterator[None]:
    """Lock the state folder for this process.

    Raises:
        CannotStart: Another process holds it.
    """
    make_private(state)
    with open(state / "running", "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise CannotStart(f"Sightline already runs over these pictures: {file.read().strip()}") from None
        try:
            yield
        finally:
            file.truncate(0)


def show_ingest(stack: Stack, supervisor: Supervisor) -> IngestState:
    """Show ingestion as a progress bar until nothing is pending.

    Raises:
        NotReady: The services ended.
    """
    columns = (
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("Scanning the folder", total=None, rate="")
        started, first_done = time.monotonic(), None
        while True:
            state = ingest_state(stack)
            if state is not None:
                done = state.indexed + state.failed
                if first_done is None:
                    started, first_done = time.monotonic(), done
                seconds = time.monotonic() - started
                rate = f"{(done - first_done) / seconds:.0f} pictures/s" if done > first_done and seconds > 1 else ""
                failed = f", {state.failed} failed" if state.failed else ""
                progress.update(
                    bar,
                    description=f"Indexing{failed}" if state.known else "Scanning the folder",
                    completed=done,
                    total=state.known or None,
                    rate=rate,
                )
                if state.finished:
                    progress.update(bar, description=f"Indexed{failed}", completed=done, total=max(done, 1))
                    return state
            if not supervisor.is_running():
                raise NotReady("the services ended while pictures were being indexed")
            time.sleep(0.3)


def search(stack: Stack, query: str) -> list[dict[str, object]]:
    """Return the five best pictures for a text.

    Raises:
        httpx.HTTPError: The gateway did not answer.
    """
    answer = httpx.get(f"{stack.url}/api/v1/search", params={"q": query, "limit": 5}, timeout=30)
    answer.raise_for_status()
    results: list[dict[str, object]] = answer.json()["results"]
    return results


def print_top_five(stack: Stack, queries: list[str]) -> int:
    """Search, and print the top five of each query; return the exit status."""
    status = 0
    for query in queries:
        results = search(stack, query)
        print(f"{query!r}:")
        for place, result in enumerate(results, start=1):
            print(f"  {place}. {result['key']}  ({result['similarity']:.3f})")
        if len(results) < 5:
            print(f"  only {len(results)} of 5 results", file=sys.stderr)
            status = 1
    return status


def run(options: argparse.Namespace) -> int:
    """Start everything and run the command; return the exit status."""
    bucket, writable = choose_bucket(options.images, options.data)
    if not (PAGE / "index.html").is_file():
        raise CannotStart("the page is not built: run `make page`")
    make_data_folder(options.data, bucket)
    state = options.data / "state" / state_name(bucket)
    is_smoke_test = options.command == "smoke"
    chosen = read_chosen_settings(os.environ, ROOT / ".env", bucket)
    for note in chosen.notes:
        console.print(f"[yellow]{escape(note)}[/yellow]")
    # What was given on the command line goes before the environment and `.env`.
    settings = dict(chosen.values)
    if options.model:
        settings["ENCODER_MODELS"] = options.model
    if options.writable is not None:
        settings["BUCKET_WRITABLE"] = str(options.writable).lower()
    models = settings.get("ENCODER_MODELS", "embedded")
    with lock_state(state):
        port = options.port or (None if is_smoke_test else DEFAULT_PORT)
        stack = Stack(
            bucket=bucket,
            state=state,
            models=options.data / "models",
            ports=choose_ports(port, ENCODER_PORT),
            writable=writable,
            page=PAGE,
            docs=DOCS if DOCS.is_dir() else None,
            settings=settings,
            fetching=chosen.fetching,
        )
        (state / "running").write_text(f"{stack.url} (process {os.getpid()})", encoding="utf-8")
        stack.make_folders()
        with Supervisor(stack.services(), stack.logs) as supervisor:
            is_embedded = models == "embedded"
            first_time = FIRST_START if is_embedded else FIRST_FETCH.format(models)
            with console.status(f"Starting the services (the first time {escape(first_time)})"):
                wait_until_ready(stack, supervisor, timeout_seconds=300 if is_embedded else 3600)
            page = f"http://localhost:{stack.ports.gateway}"
            console.print(f"\n  [bold]Sightline is at {page}[/bold]   encoder (gRPC): {stack.encoder_address}")
            console.print(f"  pictures: {escape(str(bucket))}   data and logs: {escape(str(state))}\n")
            done = show_ingest(stack, supervisor)
            console.print(
                f"  {done.indexed} pictures indexed, {done.failed} failed, {done.ignored} other files ignored; "
                f"{images_encoded(stack)} encoded since the start"
            )
            if is_smoke_test:
                return print_top_five(stack, options.query or SMOKE_QUERIES)
            console.print("  Ctrl-C stops everything; what is indexed stays.")
            while supervisor.is_running():
                time.sleep(1)
            raise NotReady(f"the supervisor ended; its log is in {stack.logs}")


def main() -> int:
    """Run a command; an error is one line, and Ctrl-C ends `demo` with success."""
    os.umask(PRIVATE_UMASK)
    # SIGTERM, and SIGHUP of a terminal that is closed, stop everything as Ctrl-C does.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    options = parse_arguments()
    try:
        return run(options)
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 0 if options.command == "demo" else 1
    except PortTaken as error:
        console.print(f"[red]{error}; choose another: make {options.command} PORT=8081[/red]")
    except (CannotStart, NotReady, samples.SamplesUnavailable, FileNotFoundError, httpx.HTTPError) as error:
        console.print(f"[red]{escape(str(error))}[/red]")
    return 1


if __name__ == "__main__":
    sys.exit(main())
