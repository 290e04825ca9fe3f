"""Hard and bad files: what can be shown is indexed; each other one fails with a reason, and costs the rest nothing."""

from __future__ import annotations

import os
import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from drawn import draw, fill
from hard_files import CORNERS, chunk, corners, high_range_png, marked, page, psd, raw_file, samples, tiff, with_chunk
from PIL import Image
from sightline_local.readiness import ingest_state
from waiting import wait_for


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


SIZE = (240, 160)
MARKED = marked(SIZE)


def saved(format: str, image: Image.Image = MARKED, **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def hard_files() -> dict[str, bytes]:
    """Return files by name that all show `MARKED`."""
    white = Image.new("RGB", SIZE, "white")
    small = page(np.asarray(marked((60, 40))), 2, tags={254: 1})
    return {
        "planes.tif": tiff(page(samples(MARKED, "u2"), 2, planar=True)),
        "floats.tif": tiff(page(samples(MARKED, "f4"), 2, zipped=True, predictor=3)),
        "second-page.tif": tiff(small, page(samples(MARKED, "u4"), 2, order=">"), order=">"),
        "without-its-end.jpg": saved("JPEG", quality=95)[:-2],
        "a-jpeg.png": saved("JPEG", quality=95),
        "checksum.png": with_chunk(saved("PNG"), chunk(b"tEXt", b"a\0b", 7)),
        "blank-first.gif": saved("GIF", white, save_all=True, append_images=[MARKED]),
        "flat.psd": psd(samples(MARKED, "u2")),
        "picture.jp2": saved("JPEG2000"),
        "sensor.dng": raw_file(MARKED, preview=page(np.asarray(MARKED), 2)),
        "hdr.png": high_range_png(SIZE),
    }


@pytest.fixture(scope="module")
def running(start, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    bucket = folder / "bucket"
    fill(bucket / "good", 20)
    (folder / "outside.jpg").write_bytes(draw(1000))
    (bucket / "truncated.jpg").write_bytes(draw(1001)[:2000])
    (bucket / "empty.png").write_bytes(b"")
    (bucket / "text.jpg").write_text("This is not an image.\n")
    (bucket / "huge.png").write_bytes(png_header(50_000, 50_000))
    (bucket / "line\nbreak.jpg").write_bytes(draw(1002))
    with open(os.fsencode(bucket) + b"/latin-\xe9.jpg", "wb") as file:
        file.write(draw(1003))
    (bucket / "outward.jpg").symlink_to(folder / "outside.jpg")
    (bucket / "loop").symlink_to(bucket)
    (bucket / "notes.txt").write_text("not an image, by its name either")
    (bucket / "hard").mkdir()
    hard = hard_files()
    for name, data in hard.items():
        (bucket / "hard" / name).write_bytes(data)
    system = start(bucket)

    def finished() -> bool:
        state = ingest_state(system.stack)
        return state is not None and state.finished and state.indexed + state.failed >= 26 + len(hard)

    wait_for(finished, "everything is indexed or failed", 120)
    return system


def reasons(running) -> dict[str, str]:
    return {failure["key"]: failure["reason"] for failure in running.get("/ingest/failures", limit=200)["failures"]}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("truncated.jpg", "truncated"),
        ("empty.png", "empty"),
        ("text.jpg", "not a"),
        ("huge.png", "50,000 x 50,000"),
        ("break.jpg", "name"),
        ("latin-", "name"),
    ],
)
def test_a_bad_file_fails_with_a_readable_reason(running, name, words):
    [reason] = [reason for key, reason in reasons(running).items() if name in key]
    assert words in reason
    assert "Traceback" not in reason
    assert "Error(" not in reason


@pytest.mark.parametrize("name", hard_files())
def test_a_hard_file_shows_what_is_in_it(running, name):
    [image] = [image for image in running.images() if image["key"] == f"hard/{name}"]
    assert (image["state"], image["reason"], image["note"]) == ("indexed", None, None)
    assert (image["width"], image["height"]) == SIZE
    shown = Image.open(BytesIO(running.http.get(image["thumbnail_url"]).raise_for_status().content))
    assert np.abs(corners(shown) - np.array(CORNERS)).max() < 60


def test_links_lead_nowhere(running):
    """Neither a link's target outside nor a loop is indexed; the link itself may be reported as failed."""
    keys = [image["key"] for image in running.images(state="indexed")]
    assert not [key for key in keys if "outward" in key or key.startswith("loop")]


def test_the_rest_of_the_folder_is_indexed(running):
    good = [image for image in running.images(state="indexed") if image["label"] == "good"]
    assert len(good) == 20
    assert {image["state"] for image in good} == {"indexed"}


def test_a_file_without_an_images_name_is_only_counted(running):
    assert running.get("/ingest")["ignored"] >= 1
    assert not [key for key in reasons(running) if "notes" in key]


def test_a_file_that_is_written_slowly_is_indexed_once_complete(running):
    data = draw(1004, size=(1600, 1200))
    path = running.bucket / "slow.jpg"
    pieces = [data[start : start + len(data) // 4 + 1] for start in range(0, len(data), len(data) // 4 + 1)]
    with open(path, "wb", buffering=0) as file:
        for piece in pieces[:-1]:
            file.write(piece)
            written = sum(len(earlier) for earlier in pieces[: pieces.index(piece) + 1])
            wait_for(lambda written=written: path.stat().st_size == written, "the part is on disk", 5)
            states = [image["state"] for image in running.images() if image["key"] == "slow.jpg"]
            assert "indexed" not in states
        file.write(pieces[-1])

    def indexed() -> bool:
        return any(image["key"] == "slow.jpg" for image in running.images(state="indexed"))

    wait_for(indexed, "the slow file is indexed", 90)
    assert "slow.jpg" not in reasons(running)
