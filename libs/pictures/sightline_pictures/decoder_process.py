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
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sightline_pictures.errors import DecoderEnded, PictureError
from sightline_pictures.memory import confined

P = ParamSpec("P")
R = TypeVar("R")

QUICK_SECONDS = 2.0
"""How long a picture may take before it makes way for others."""
_START_SECONDS = 60.0
_LOOK_SECONDS = 0.05
_WATCH_SECONDS = 1.0
_INHERITED = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR")


class TooSlow(Exception):
    """Decoding takes longer than it may."""


class Abandoned(Exception):
    """Nobody waits for the picture any more; decoding it was ended."""


class DecoderProcess:
    """A process that decodes one picture at a time. It is started when it is needed, and again after it has ended.

    It may take as much memory as `sightline_pictures.memory` says. Used by one thread at a time.

    Args:
        niceness: Added to that of this process.
    """

    def __init__(self, niceness: int = 0) -> None:
        self._niceness = niceness
        self._running: tuple[subprocess.Popen[bytes], Connection] | None = None
        self._is_unfinished = False

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
            PictureError: As the function does; DecoderEnded: the file made the decoder crash, or memory ran out.
            TooSlow: It takes longer. The same call goes on with it, `close` ends it.
            Abandoned: Nobody waits; it was ended.
        """
        try:
            connection = self._start()
            if not self._is_unfinished:
                connection.send((work, args, kwargs))
                connection.send_bytes(data)
                self._is_unfinished = True
            deadline = time.monotonic() + seconds
            while not connection.poll(_LOOK_SECONDS):
                if abandoned():
                    self.close()
                    raise Abandoned
                if time.monotonic() > deadline:
                    raise TooSlow
            outcome: R | Exception = connection.recv()
        except (EOFError, OSError) as error:
            self.close()
            raise DecoderEnded("decoding it ended the decoder: the file makes it crash, or needs too much") from error
        self._is_unfinished = False
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def close(self) -> None:
        """End the process, whatever it does; `run` starts another one."""
        self._is_unfinished = False
        if self._running is not None:
            process, connection = self._running
            self._running = None
            process.kill()
            process.wait()
            connection.close()

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


@dataclass(frozen=True)
class Attempt:
    """A short attempt to decode a picture, or the last, which may take all the time that a picture may take.

    A picture for which the short attempt is too slow makes way for others: the last attempt, of one such at a time,
    is made beside theirs.

    Attributes:
        decoder: If it is that of the first attempt, and was not closed since, it goes on with what it began.
        limit_seconds: How long the last attempt may take.
        is_last: Whether it is.
    """

    decoder: DecoderProcess
    limit_seconds: float
    is_last: bool = False

    def run(
        self,
        work: Callable[Concatenate[bytes, P], R],
        abandoned: Callable[[], bool],
        data: bytes,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Do as `DecoderProcess.run`; of the last attempt, TooSlow is a PictureError."""
        seconds = self.limit_seconds if self.is_last else min(QUICK_SECONDS, self.limit_seconds)
        try:
            return self.decoder.run(work, seconds, abandoned, data, *args, **kwargs)
        except TooSlow:
            if not self.is_last:
                raise
            self.decoder.close()
            raise PictureError(f"decoding it takes longer than {seconds:g} s (IMAGE_MAX_SECONDS)") from None


def _end_with(parent: int) -> None:
    """Exit when the parent does. The kernel's own signal would come when the thread ends that started this process."""
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)


def _serve(connection: Connection) -> None:
    """Do what is asked for until the other end is closed."""
    # Pillow's warnings about odd files do not belong in a log.
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
        # If memory runs out, the kernel should end a decoder, not a service.
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")
    os.nice(int(sys.argv[3]))
    threading.Thread(target=_end_with, args=(int(sys.argv[2]),), daemon=True).start()
    _serve(Connection(int(sys.argv[1])))
