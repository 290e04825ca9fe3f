"""Opens one file and makes of it what services do, in a process that may take no more memory than it is given.

    python open_limited.py SMALL FILE BYTES_PER_PIXEL PIXELS

SMALL is a small file of the same format, opened first: what libraries load and their threads take does not count.
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

from sightline_pictures import Preprocessing, open_picture, preprocess, preview, thumbnail
from sightline_pictures.thumbnails import PREVIEW_SIDE, THUMBNAIL_SIDE

STEPS = (
    Preprocessing("shortest", 292, 260, 260, pad_color=(255, 255, 255)),
    Preprocessing("shortest", 224, 224, 224),
)
SPARE_BYTES = 100_000_000


def render(path: str) -> None:
    """Make a file a model's input, thumbnail and preview."""
    data = Path(path).read_bytes()
    side = max(THUMBNAIL_SIDE, *(steps.min_side for steps in STEPS))
    picture = open_picture(data, max_bytes=1 << 26, max_pixels=200_000_000, min_side=side)
    for steps in STEPS:
        preprocess(picture.image, steps)
    thumbnail(picture.image)
    # As in a service, where it goes when the function returns.
    del picture
    preview(open_picture(data, max_bytes=1 << 26, max_pixels=200_000_000, min_side=PREVIEW_SIDE).image)


def main() -> None:
    """Measure what this process has, set the limit, open."""
    small, path, bytes_per_pixel, pixels = sys.argv[1:]
    render(small)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    limit = used + int(bytes_per_pixel) * int(pixels) + SPARE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    render(path)


if __name__ == "__main__":
    main()
