"""Decodes in processes of their own: a file that takes too long, or too much memory, costs that process alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from queue import Empty, LifoQueue
from threading import BoundedSemaphore
from typing import Any, Concatenate, ParamSpec, TypeVar

from sightline_pictures.errors import PictureError
from sightline_pictures.memory import confined

P = ParamSpec("P")
R = TypeVar("R")

QUICK_SECONDS = 2.0
"""What takes longer makes way for other pictures: one of them goes on beside those, and the others wait for it."""
_START_SECONDS = 60.0
_LOOK_SECONDS = 0.05
_WATCH_SECONDS = 1.0
_CALLER_SECONDS = 0.25
_INHERITED = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR")


class TooSlow(Exception):
    """Decoding takes longer than it was given."""


class Abandoned(Exception):
    """Nobody waits for the picture any more; decoding it was ended."""


class Busy(Exception):
    """Every decoder was busy for as long as the caller would wait."""


class DecoderProcess:
    """A process that decodes one picture at a time. It is started when it is needed, and again after it has ended.

    It may take as much memory as `sightline_pictures.memory` says. Used by one thread at a time.

    Args:
        niceness: Added to that of this process.
    """

    def __init__(self, niceness: int = 0) -> None:
        self._niceness = niceness
        self._running: tuple[subprocess.Popen[bytes], Connection] | None = None

    def run(
        self,
        work: Callable[Concatenate[bytes, P], R],
        seconds: float,
        abandoned: Callable[[], bool],
        data: bytes,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Return what a function of `sightline_pictures.rendering` makes of a file's bytes.

        Args:
            work: The function.
            seconds: How long it may take.
            abandoned: Whether nobody waits any more; asked now and then.
            data: The file's bytes, the function's first argument.
            args: Its other arguments.
            kwargs: Its other arguments.

        Raises:
            PictureError: As the function does; or the file made the decoder crash.
            TooSlow: It takes longer; `wait` goes on, `close` ends it.
            Abandoned: Nobody waits; it was ended.
        """
        try:
            connection = self._start()
            connection.send((work, args, kwargs))
            connection.send_bytes(data)
        except (EOFError, OSError) as error:
            raise self._ended() from error
        outcome: R = self.wait(seconds, abandoned)
        return outcome

    def wait(self, seconds: float, abandoned: Callable[[], bool]) -> Any:
        """Return what `run` would have, once it took longer; arguments and errors are the same."""
        if self._running is None:
            raise self._ended()
        connection = self._running[1]
        try:
            deadline = time.monotonic() + seconds
            while not connection.poll(_LOOK_SECONDS):
                if abandoned():
                    self.close()
                    raise Abandoned
                if time.monotonic() > deadline:
                    raise TooSlow
            outcome = connection.recv()
        except (EOFError, OSError) as error:
            raise self._ended() from error
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def close(self) -> None:
        """End the process, whatever it does; `run` starts another one."""
        if self._running is not None:
            process, connection = self._running
            self._running = None
            process.kill()
            process.wait()
            connection.close()

    def _ended(self) -> PictureError:
        self.close()
        return PictureError("decoding it ended the decoder: the file makes it crash, or needs too much")

    def _start(self) -> Connection:
        if self._running is not None:
            if self._running[0].poll() is None:
                return self._running[1]
            self.close()
        ours, theirs = Pipe()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__, str(theirs.fileno()), str(os.getpid()), str(self._niceness)],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=_environment(),
            )
        self._running = process, ours
        # The time limit is for decoding: on a busy machine a start takes as long.
        if not ours.poll(_START_SECONDS):
            raise OSError("the decoder does not start")
        ours.recv()
        return ours


def _environment() -> dict[str, str]:
    """Return the environment of a decoder: what Python needs, and nothing that is secret."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    # Each arena and each thread of a library would reserve address space.
    return {**inherited, "MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class DecoderPool:
    """Decoder processes for callers that wait. Safe to use from several threads.

    What is not decoded within QUICK_SECONDS makes way for other pictures. One of these goes on beside them; the others
    are ended, and start again when that one is done.

    Args:
        processes: Pictures that are decoded at once, besides a slow one.
        seconds: How long decoding may take.
        callers: How many may wait or have something decoded; more are refused, so that they do not take every thread.
    """

    def __init__(self, processes: int, seconds: float, callers: int) -> None:
        self._callers = BoundedSemaphore(callers)
        self._seconds = seconds
        self._free: LifoQueue[DecoderProcess] = LifoQueue()
        self._slow = BoundedSemaphore(1)
        self._all: set[DecoderProcess] = set()
        for _ in range(processes):
            self._free.put(self._new())

    def run(
        self,
        work: Callable[Concatenate[bytes, P], R],
        wait_seconds: float,
        read: Callable[[], bytes],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> tuple[bytes, R]:
        """Return a file's bytes, and what a function of `sightline_pictures.rendering` makes of them.

        Args:
            work: The function.
            wait_seconds: How long to wait for a decoder that is free.
            read: Returns the file's bytes; called when a decoder is free: files that wait would fill the memory.
            args: The function's arguments besides the bytes.
            kwargs: The function's arguments besides the bytes.

        Raises:
            PictureError: As the function does; or it took too long.
            Busy: No decoder was free in time, or too many callers wait.
        """
        if not self._callers.acquire(timeout=_CALLER_SECONDS):
            raise Busy
        try:
            return self._run(work, wait_seconds, read, *args, **kwargs)
        finally:
            self._callers.release()

    def close(self) -> None:
        """End the processes, whatever they do."""
        for decoder in list(self._all):
            decoder.close()

    def _new(self) -> DecoderProcess:
        decoder = DecoderProcess()
        self._all.add(decoder)
        return decoder

    def _run(
        self,
        work: Callable[Concatenate[bytes, P], R],
        wait_seconds: float,
        read: Callable[[], bytes],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> tuple[bytes, R]:
        try:
            decoder = self._free.get(timeout=wait_seconds)
        except Empty:
            raise Busy from None
        goes_on = False
        try:
            data = read()
            return data, decoder.run(work, min(QUICK_SECONDS, self._seconds), _never, data, *args, **kwargs)
        except TooSlow:
            goes_on = self._slow.acquire(blocking=False)
            if not goes_on:
                decoder.close()
        finally:
            self._free.put(self._new() if goes_on else decoder)
        if not goes_on:
            if not self._slow.acquire(timeout=wait_seconds):
                raise Busy
            decoder = self._new()
        try:
            if goes_on:
                return data, decoder.wait(self._seconds, _never)
            return data, decoder.run(work, self._seconds, _never, data, *args, **kwargs)
        except TooSlow:
            raise too_slow(self._seconds) from None
        finally:
            decoder.close()
            self._all.discard(decoder)
            self._slow.release()


def too_slow(seconds: float) -> PictureError:
    """Return the error of a picture that takes longer to decode than it may."""
    return PictureError(f"decoding it takes longer than {seconds:g} s (IMAGE_MAX_SECONDS)")


def _never() -> bool:
    return False


def _end_with(parent: int) -> None:
    """Exit when the parent does. The kernel's own signal would come when the thread ends that started this process."""
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)


def _serve(connection: Connection) -> None:
    """Do what is asked for until the other end is closed."""
    # What Pillow finds odd in a file is nothing to write into a log.
    warnings.simplefilter("ignore")
    with suppress(EOFError, OSError):
        connection.send("ready")
        while True:
            work, args, kwargs = connection.recv()
            connection.send(_outcome(work, connection.recv_bytes(), args, kwargs))


def _outcome(work: Callable[..., Any], data: bytes, args: Any, kwargs: Any) -> Any:
    try:
        with confined():
            return work(data, *args, **kwargs)
    except PictureError as error:
        return PictureError(error.reason)
    except MemoryError:
        return PictureError("it needs more memory than a picture of its size may take")
    except Exception:
        return RuntimeError(traceback.format_exc())


if __name__ == "__main__":
    # Ctrl-C in a terminal reaches every process of the group; the parent ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):
        # Where memory runs out, the kernel is to end a decoder and no service.
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")
    os.nice(int(sys.argv[3]))
    threading.Thread(target=_end_with, args=(int(sys.argv[2]),), daemon=True).start()
    _serve(Connection(int(sys.argv[1])))
