"""Memory and time that pictures of extreme shapes take, by every way in: `make bench-shapes`.

Each goes alone through the worker, a search by picture, a map of uploads, and the encoder's gRPC as file and as raw
pixels. Memory is what the services' processes took at their most above what they held before, all together.
"""

from __future__ import annotations

import io
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import psutil
from PIL import Image
from sightline.encoder.client import EncoderClient, EncoderError, ItemError, RawPixels

from benchmarks.harness import results
from benchmarks.harness.results import Failed, say
from benchmarks.harness.system import System, system
from benchmarks.harness.timing import meanwhile

SHAPES = [(1, 65_535), (40_000, 1), (790, 36_861), (14_000, 14_000), (30_000, 2_000)]
SERVICES = ("encoder", "ingest-worker", "search-gateway")
SAMPLE_SECONDS, TIMEOUT_SECONDS = 0.05, 300.0
FEWEST = 10
"""How many small pictures a map gets beside the one that is measured."""
MB = 1_000_000


def png(width: int, height: int, color: tuple[int, int, int] = (200, 90, 9)) -> bytes:
    """Return a PNG of one colour, written without holding its pixels."""
    rows, packer = b"\0" + bytes(color) * width, zlib.compressobj(1)
    packed = b"".join(packer.compress(rows) for _ in range(height)) + packer.flush()
    out = io.BytesIO()
    Image.new("RGB", (1, 1)).save(out, "PNG")
    head = out.getvalue()
    sizes = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return head[:8] + _chunk(b"IHDR", sizes + b"\x08\x02\0\0\0") + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


@dataclass
class Peak:
    """The most that each process held, as the kernel counts it, and what it held before."""

    before: dict[int, int] = field(default_factory=dict)
    most: dict[int, int] = field(default_factory=dict)

    def look(self, running: System) -> None:
        """Read the kernel's counts."""
        for name, processes in running.processes().items():
            if name in SERVICES:
                for process in processes:
                    with suppress(OSError, ValueError):
                        self.most[process.pid] = max(self.most.get(process.pid, 0), _peak(process.pid))

    @property
    def bytes(self) -> int:
        """What the processes took at their most, above what they held before."""
        return sum(max(0, most - self.before.get(pid, 0)) for pid, most in self.most.items())


def _peak(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
    # A process that has ended and was not waited for has none.
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


@contextmanager
def watched(running: System) -> Iterator[Peak]:
    """Measure what the services take while the block runs."""
    found = Peak()
    for processes in running.processes().values():
        for process in processes:
            with suppress(OSError, psutil.Error):
                # Resets the kernel's record of the most memory to what is held now.
                Path(f"/proc/{process.pid}/clear_refs").write_text("5")
                found.before[process.pid] = process.memory_info().rss
    with meanwhile(lambda: found.look(running), pause_seconds=SAMPLE_SECONDS):
        yield found
        found.look(running)


def by_worker(running: System, data: bytes, _: tuple[int, int]) -> str:
    """Put the file into the bucket, and wait until it is indexed or has failed."""
    known = running.wait().known
    name = f"shape-{known}.png"
    (running.stack.bucket / name).write_bytes(data)
    running.rescan()
    running.wait(lambda state: state.finished and state.known > known)
    [image] = [image for image in running.images() if image["key"] == name]
    return image["reason"] or str(image["state"])


def by_search(running: System, data: bytes, _: tuple[int, int]) -> str:
    """Search by the file."""
    return _said(running.http.post("/search", files={"file": ("shape.png", data, "image/png")}))


def by_map(running: System, data: bytes, _: tuple[int, int]) -> str:
    """Make a map of the file and small ones."""
    sent = [data, *(png(90 + number, 60) for number in range(FEWEST))]
    files = [("files", (f"{number}.png", each, "image/png")) for number, each in enumerate(sent)]
    return _said(running.http.post("/maps/uploads", files=files))


def by_file(running: System, data: bytes, _: tuple[int, int]) -> str:
    """Send the file over gRPC."""
    return _encoded(running, data)


def by_pixels(running: System, _: bytes, size: tuple[int, int]) -> str:
    """Send the picture over gRPC as raw pixels."""
    return _encoded(running, RawPixels(np.zeros((size[1], size[0], 3), np.uint8)))


WAYS: dict[str, Callable[[System, bytes, tuple[int, int]], str]] = {
    "worker": by_worker, "search": by_search, "map": by_map, "gRPC file": by_file, "gRPC raw": by_pixels,
}  # fmt: skip


def _said(answer: httpx.Response) -> str:
    return "ok" if answer.is_success else f"{answer.status_code} {answer.json().get('title', '')}"


def _encoded(running: System, image: bytes | RawPixels) -> str:
    with EncoderClient(f"127.0.0.1:{running.stack.ports.encoder}", timeout_seconds=TIMEOUT_SECONDS) as encoder:
        try:
            result = encoder.encode_images([image]).results[0]
        except EncoderError as error:
            return error.code.name
    return result.message if isinstance(result, ItemError) else "ok"


def main() -> None:
    """Measure, print and write."""
    results.options("bench-shapes", __doc__)
    rows: list[list[object]] = []
    figures: dict[str, float] = {}
    with system() as running:
        for number in range(FEWEST + 1):
            (running.stack.bucket / f"small-{number}.png").write_bytes(png(90 + number, 60))
        running.rescan()
        running.wait(lambda state: state.finished and state.known > FEWEST)
        for way in WAYS.values():
            with suppress(Failed, httpx.HTTPError):
                way(running, png(64, 64, (1, 2, 3)), (64, 64))
        for size in SHAPES:
            data = png(*size)
            for name, way in WAYS.items():
                say(f"{size[0]:,} x {size[1]:,} by {name}")
                began = time.monotonic()
                with watched(running) as peak:
                    try:
                        said = way(running, data, size)
                    except (Failed, httpx.HTTPError) as error:
                        said = type(error).__name__
                seconds = time.monotonic() - began
                rows.append([f"{size[0]:,} x {size[1]:,}", name, round(peak.bytes / MB), round(seconds, 1), said[:70]])
                key = f"{name.replace(' ', '_').lower()}_{size[0]}x{size[1]}"
                figures |= {f"{key}_mb": peak.bytes / MB, f"{key}_s": seconds}
    results.show(["shape", "by", "MB", "s", "answer"], rows, "memory above what was held before, all services together")
    results.write("bench-shapes", settings={"shapes": SHAPES}, figures=figures, quiet=True)


if __name__ == "__main__":
    main()
