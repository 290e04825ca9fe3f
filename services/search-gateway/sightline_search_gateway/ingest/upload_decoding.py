"""Decodes the files of an upload, each by a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from sightline_pictures import PictureError, PictureSettings
from sightline_pictures.decoder_pool import Busy, DecoderPool

from sightline_search_gateway.ingest.upload_names import SentFile

P = ParamSpec("P")
R = TypeVar("R")
WAIT_SECONDS = 60.0


def decode_upload(
    decoders: DecoderPool,
    work: Callable[Concatenate[bytes, PictureSettings, P], R],
    file: SentFile,
    limits: PictureSettings,
    *args: P.args,
    **kwargs: P.kwargs,
) -> tuple[bytes, R]:
    """Return a file's bytes, and what a function of `sightline_pictures.rendering` makes of them.

    Raises:
        PictureError: The file cannot be decoded, or not now.
    """
    try:
        return decoders.run(work, WAIT_SECONDS, lambda: file.read(limits.max_bytes + 1), limits, *args, **kwargs)
    except Busy:
        raise PictureError("many pictures are being prepared: try again soon") from None
