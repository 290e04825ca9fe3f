"""Part `batching`: texts a second at 1 and 32 clients, three servers in turns.

Sightline's encoder as it is; the same with batches of one; and infinity_emb, which batches too, with torch over the
same weights (left out where it cannot be installed). Every client has one connection and one text under way. `cpu ms`
is the processor time that the server itself spent on one text, which says more than the rate where others use the
machine.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median

from benchmarks import report
from benchmarks.collection import Collection
from benchmarks.encoder import clients, infinity, server, subjects, turns
from benchmarks.encoder.clients import Answers, Call, Connections
from benchmarks.encoder.infinity import NotInstalled
from benchmarks.encoder.outcome import Outcome
from benchmarks.encoder.server import NotServing, Server

CLIENTS = (32, 1)
ROUNDS = 3
SECONDS = 4.0
TEXTS = 4000

SIGHTLINE, UNBATCHED, INFINITY = "Sightline", "batching off", "infinity_emb"
SUFFIXES = {SIGHTLINE: "", UNBATCHED: "_unbatched", INFINITY: "_infinity"}


class Contender:
    """A server and its clients.

    Attributes:
        answers: Of every turn, by number of clients.
        cpu_ms: The server's processor time a text, of every turn, by number of clients.
    """

    def __init__(self, running: Server, words: list[str]) -> None:
        self._running = running
        self._words = words
        self.answers: dict[int, list[Answers]] = {count: [] for count in CLIENTS}
        self.cpu_ms: dict[int, list[float]] = {count: [] for count in CLIENTS}

    async def drive(self, count: int) -> dict[str, Answers]:
        """Have so many clients ask for texts."""
        connections = Connections(self._running.address, self._words)
        try:
            return await clients.drive({"texts": connections.texts(count)}, SECONDS)
        finally:
            await connections.close()

    def turn(self, count: int) -> Callable[[], float]:
        """Return one turn: texts a second."""

        def measure() -> float:
            before = self._running.cpu_seconds()
            answers = asyncio.run(self.drive(count))["texts"]
            spent = self._running.cpu_seconds() - before
            self.answers[count].append(answers)
            # The processor time is also of the warm-up, whose texts are not counted.
            share = SECONDS / (SECONDS + clients.WARM_SECONDS)
            self.cpu_ms[count].append(1000 * spent * share / max(1, answers.items))
            return answers.rate

        return measure


class InfinityContender(Contender):
    """The same, over HTTP."""

    async def drive(self, count: int) -> dict[str, Answers]:
        """Have so many clients ask for texts."""
        calls: list[Call] = infinity.callers(self._running.address, self._words, count)
        return await clients.drive({"texts": calls}, SECONDS)


def run(pictures: Collection) -> Outcome:
    """Measure all three."""
    outcome = Outcome()
    words = subjects.texts(TEXTS)
    with ExitStack() as stack:
        contenders: dict[str, Contender] = {}
        batched = stack.enter_context(server.encoder("embedded"))
        contenders[SIGHTLINE] = Contender(batched, words)
        alone = stack.enter_context(server.encoder("embedded", max_text_batch_size=1, max_batch_size=1))
        contenders[UNBATCHED] = Contender(alone, words)
        try:
            contenders[INFINITY] = InfinityContender(stack.enter_context(infinity.serving()), words)
        except (NotInstalled, NotServing) as error:
            print(error, file=sys.stderr)
            outcome.details["missing"] = str(error)
        for count in CLIENTS:
            before = batched.samples()
            found = turns.take({name: each.turn(count) for name, each in contenders.items()}, ROUNDS)
            size = server.mean_batch(before, batched.samples(), "text", "interactive")
            outcome.details[str(count)] = {"turns": found, "mean_batch": size}
            _report(outcome, contenders, found, count, size)
    return outcome


def _report(
    outcome: Outcome, contenders: dict[str, Contender], found: dict[str, list[float]], count: int, size: float
) -> None:
    rows: list[list[object]] = []
    for name, each in contenders.items():
        times = [value for answers in each.answers[count] for value in answers.milliseconds]
        cpu = median(each.cpu_ms[count])
        p50, p99 = turns.percentile(times, 50), turns.percentile(times, 99)
        rows.append([name, median(found[name]), p50, p99, cpu, turns.ratio(found, SIGHTLINE, name)])
        outcome.figures |= {
            f"texts_per_second_{count}{SUFFIXES[name]}": median(found[name]),
            f"text_cpu_ms_{count}{SUFFIXES[name]}": cpu,
        }
        if name != SIGHTLINE:
            outcome.figures[f"texts_ratio_{count}{SUFFIXES[name]}"] = turns.ratio(found, SIGHTLINE, name)
    outcome.figures[f"text_mean_batch_{count}"] = size
    print(f"texts, {count} client{'s' if count > 1 else ''} (Sightline's mean batch: {size:.1f})")
    print(report.table(["server", "texts/s", "p50 ms", "p99 ms", "cpu ms", "times"], rows), end="\n\n")
