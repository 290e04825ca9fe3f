"""The gateway's processes: one that listens and looks after the others, and those that serve."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.context import ForkProcess

import structlog
from apiflask import APIFlask
from sightline_service.parent_death import die_with_parent
from sightline_service.queues import redis_client
from sightline_service.service_starts import note_start
from sightline_service.signals import stop_event
from sightline_service.tracing import flush_traces

from sightline_search_gateway.app import ADMISSION
from sightline_search_gateway.body_budget import BodyBudget
from sightline_search_gateway.bootstrap import serve_app
from sightline_search_gateway.maps.settings import MEBIBYTE
from sightline_search_gateway.server import GatewayServer, set_up_process
from sightline_search_gateway.settings import GatewaySettings, Settings

BACKLOG = 1024
CANNOT_START = 4
"""The exit status of a process that would not start the next time either."""
RESTART_SECONDS = 1.0
KILL_SECONDS = 5.0
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
AppMaker = Callable[[Settings], APIFlask]
log = structlog.get_logger()


def serve(settings: Settings, make_app: AppMaker = serve_app) -> int:
    """Serve until SIGTERM; return the exit status.

    Args:
        settings: The gateway's.
        make_app: Called in each process, after the fork, since connections do not survive one.
    """
    listener = listen(settings.gateway)
    # Taken one by one below: no handler runs at an awkward moment, and none is inherited.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    budget = BodyBudget(settings.body_budget, settings.gateway.workers)

    def start(place: int) -> ForkProcess:
        return _start(listener, settings, make_app, budget, place)

    processes = [start(place) for place in range(settings.gateway.workers)]
    log.info("listening", address=settings.gateway.address, port=listener.getsockname()[1], processes=len(processes))
    while signal.sigwaitinfo(SIGNALS).si_signo == signal.SIGCHLD:
        for place, process in enumerate(processes):
            if process.exitcode is None:
                continue
            if process.exitcode == CANNOT_START:
                _stop(processes, settings.gateway)
                return CANNOT_START
            log.error("a process ended", pid=process.pid, status=process.exitcode)
            note_start(redis_client(settings.queue), f"search-gateway {socket.gethostname()}, process {place}")
            time.sleep(RESTART_SECONDS)
            processes[place] = start(place)
    listener.close()
    _stop(processes, settings.gateway)
    return 0


def listen(settings: GatewaySettings) -> socket.socket:
    """Return the socket that all processes accept connections from."""
    family = socket.AF_INET6 if ":" in settings.address else socket.AF_INET
    listener = socket.create_server((settings.address, settings.port), family=family, backlog=BACKLOG)
    listener.setblocking(False)
    return listener


def _start(
    listener: socket.socket, settings: Settings, make_app: AppMaker, budget: BodyBudget, place: int
) -> ForkProcess:
    budget.use_place(place)
    process = get_context("fork").Process(target=_work, args=(listener, settings, make_app, budget, os.getpid()))
    process.start()
    return process


def _stop(processes: list[ForkProcess], settings: GatewaySettings) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + settings.drain_seconds + KILL_SECONDS
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        process.kill()
        process.join()


def _work(listener: socket.socket, settings: Settings, make_app: AppMaker, budget: BodyBudget, parent: int) -> None:
    """Serve, as a process of its own."""
    die_with_parent(parent)
    stopped = stop_event()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    set_up_process()
    try:
        app = make_app(settings)
    except Exception as error:
        log.error("cannot start", error=str(error))
        raise SystemExit(CANNOT_START) from None
    server = GatewayServer(
        app,
        listener,
        settings.gateway,
        admit=app.extensions[ADMISSION],
        budget=budget,
        max_body_bytes=app.config["MAX_CONTENT_LENGTH"],
        max_answer_bytes=settings.pictures.max_bytes + MEBIBYTE,
    )
    server.serve_until(stopped)
    flush_traces()
