"""The built page, where the gateway itself serves it, and the headers that fence pages in."""

from __future__ import annotations

import mimetypes
import re
from pathlib import Path

from flask import Response, request, send_file
from werkzeug.security import safe_join

from sightline_search_gateway.http.problems import MIME_TYPE

# Vite's: NAME-HASH.EXT, never the same name for other bytes.
HASHED = re.compile(r"-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$")
ENCODINGS = {"br": ".br", "gzip": ".gz"}
COMMON_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
# What is not a page runs nothing and is shown nowhere.
CLOSED_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


def add_common_headers(response: Response) -> Response:
    """Fence in every answer; those of pages and pictures have policies of their own."""
    for name, value in COMMON_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", CLOSED_POLICY)
    return response


class StaticFiles:
    """The files of the built page.

    Args:
        folder: Holds index.html; None where something else serves the page.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder.resolve() if folder is not None else None

    def answer(self, path: str) -> Response | None:
        """Return what the page has at a path; None where nothing is."""
        file = self._file(path.strip("/") or "index.html") if self._is_asked(path) else None
        return self._send(file) if file is not None else None

    def not_found(self, path: str) -> Response | None:
        """Return the page, which then says that nothing is here, for a browser that wants a page; otherwise None."""
        wanted = request.accept_mimetypes.best_match([MIME_TYPE, "text/html"], default=MIME_TYPE)
        file = self._file("index.html") if wanted == "text/html" and self._is_asked(path) else None
        if file is None:
            return None
        response = self._send(file, conditional=False)
        response.status_code = 404
        response.headers["Vary"] = "Accept, Accept-Encoding"
        return response

    def _is_asked(self, path: str) -> bool:
        return self._folder is not None and request.method in ("GET", "HEAD") and not path.startswith("/api/")

    def _file(self, name: str) -> Path | None:
        assert self._folder is not None
        joined = safe_join(str(self._folder), name)
        if joined is None:
            return None
        try:
            file = Path(joined).resolve()
            inside = file.is_relative_to(self._folder) and file.is_file()
        except (OSError, ValueError):  # NUL, or a name longer than any
            return None
        return file if inside and not file.name.startswith(".") else None

    def _send(self, file: Path, *, conditional: bool = True) -> Response:
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        encoding = None
        accepted = request.accept_encodings
        for name, ending in ENCODINGS.items():
            packed = file.with_name(file.name + ending)
            if accepted[name] > 0 and packed.is_file():
                encoding, sent = name, packed
                break
        else:
            sent = file
        # Compressed and not compressed have different ETags: they are different files.
        response = send_file(sent, mimetype=kind, conditional=conditional, etag=conditional, max_age=None)
        if encoding is not None:
            response.headers["Content-Encoding"] = encoding
        response.headers["Vary"] = "Accept-Encoding"
        hashed = "assets" in file.parts and HASHED.search(file.name)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        response.headers["Content-Security-Policy"] = PAGE_POLICY
        return response
