"""Part `bulk`: pictures a second over EncodeImageStream beside a loop in one process.

Both encode the same preprocessed pixels on the same runtime: the one sends them in batches of the workers' size to an
encoder in a process of its own, the other calls the model at its fastest batch size. They take turns; the ratio is the
median of each turn's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

from sightline.encoder.client import EncoderClient, RawPixels

from benchmarks import collection, report
from benchmarks.collection import Collection
from benchmarks.encoder import runtimes, server, subjects, turns
from benchmarks.encoder.clients import BULK_PICTURES
from benchmarks.encoder.outcome import Outcome
from benchmarks.encoder.subjects import Pixels, Subject

BATCHES = (8, 16, 32)
ROUNDS = 5
TURN_SECONDS = 2.5
PICTURES = 128


def by_stream(client: EncoderClient, pictures: Sequence[RawPixels]) -> int:
    """Send all pictures over one stream; return how many vectors came back."""
    batches = collection.chunks(list(pictures), BULK_PICTURES)
    return sum(len(answer.vectors()) for answer in client.encode_image_stream(batches))


def by_loop(encode: Callable[[Pixels], runtimes.Vectors], pixels: Pixels, batch: int) -> int:
    """Encode all pictures in batches; return how many there are."""
    return sum(len(encode(pixels[start : start + batch])) for start in range(0, len(pixels), batch))


def _measure(subject: Subject, data: list[bytes]) -> dict[str, list[float]]:
    loop = runtimes.openvino(subject)
    pixels = subjects.pixels(data, subject.source.preprocessing, PICTURES)
    raw = [RawPixels(each, preprocessed=True) for each in pixels]
    with server.encoder(subject.model_id) as running, EncoderClient(running.address) as client:
        stream = partial(by_stream, client, raw)
        by_loop(loop.images, pixels[:64], 8)
        stream()
        entries = {f"loop of {batch}": turns.rate(partial(by_loop, loop.images, pixels, batch)) for batch in BATCHES}
        pilot = turns.take(entries, 1)
        fastest = max(pilot, key=lambda name: pilot[name][0])
        return turns.take(
            {"gRPC": turns.rate(stream, TURN_SECONDS), "loop": _repeated(loop, pixels, int(fastest.split()[-1]))},
            ROUNDS,
        )


def _repeated(loop: runtimes.Loop, pixels: Pixels, batch: int) -> Callable[[], float]:
    return turns.rate(partial(by_loop, loop.images, pixels, batch), TURN_SECONDS)


def run(pictures: Collection) -> Outcome:
    """Measure both models."""
    outcome = Outcome()
    data = subjects.files(pictures, PICTURES)
    rows: list[list[object]] = []
    for subject in (subjects.embedded(), subjects.vit_b_32()):
        found = _measure(subject, data)
        print(f"{subject.name}: {found}", file=sys.stderr)
        ratio = turns.ratio(found, "gRPC", "loop")
        rows.append([subject.name, median(found["gRPC"]), median(found["loop"]), ratio])
        suffix = "" if subject.key == "embedded" else f"_{subject.key}"
        outcome.figures |= {
            f"grpc_bulk_ratio{suffix}": ratio,
            f"grpc_bulk_images_per_second{suffix}": median(found["gRPC"]),
            f"loop_images_per_second{suffix}": median(found["loop"]),
        }
        outcome.details[subject.key] = found
    print("pictures a second in bulk")
    print(report.table(["model", "over gRPC", "fastest loop", "ratio"], rows), end="\n\n")
    return outcome
