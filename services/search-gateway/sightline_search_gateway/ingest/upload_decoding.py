"""Decodes the files of an upload, each by a process of its own, as long as somebody waits and it may take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import Concatenate, ParamSpec, TypeVar

from sightline_pictures import PictureError, PictureSettings
from sightline_pictures.decoder_pool import Busy, DecoderPool, Patience
from sightline_pictures.decoder_process import Abandoned

from sightline_search_gateway.ingest.upload_names import SentFile

P = ParamSpec("P")
R = TypeVar("R")
WAIT_SECONDS = 20.0


@dataclass
class UploadDecoding:
    """Decodes the files of one upload. The first that is not decoded for want of time or room is the last.

    Attributes:
        slots: Uploads that have something decoded at once: previews have the other callers of the decoders.
        seconds: How long decoding all files may take.
        is_gone: Whether the client does not wait any more.
    """

    decoders: DecoderPool
    limits: PictureSettings
    slots: BoundedSemaphore
    seconds: float
    is_gone: Callable[[], bool]
    _begun: float = field(default_factory=time.monotonic)
    _ended: str | None = None

    def run(
        self,
        work: Callable[Concatenate[bytes, PictureSettings, P], R],
        file: SentFile,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> tuple[bytes, R]:
        """Return a file's bytes, and what a function of `sightline_pictures.rendering` makes of them.

        Raises:
            PictureError: The file cannot be decoded, or not now.
        """
        left = self._begun + self.seconds - time.monotonic()
        if left <= 0 and self._ended is None:
            self._ended = (
                f"decoding the whole upload took longer than {self.seconds:g} s (GATEWAY_UPLOAD_SECONDS): send the "
                "rest again, fewer at a time"
            )
        if self._ended is None and self.is_gone():
            self._ended = "the client is gone"
        if self._ended is not None:
            raise PictureError(self._ended)
        wait = min(left, WAIT_SECONDS)
        try:
            if not self.slots.acquire(timeout=wait):
                raise Busy
            try:
                patience = Patience(wait, self.is_gone)
                read_bytes = self.limits.max_bytes + 1
                return self.decoders.run(work, patience, lambda: file.read(read_bytes), self.limits, *args, **kwargs)
            finally:
                self.slots.release()
        except Busy:
            self._ended = "many pictures are being prepared: try again soon with this one and those after it"
            raise PictureError(self._ended) from None
        except Abandoned:
            self._ended = "the client is gone"
            raise PictureError(self._ended) from None
