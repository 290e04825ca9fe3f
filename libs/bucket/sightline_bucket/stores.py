"""Opens stores with obstore, and translates its errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from os import environ
from threading import Lock

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, InvalidPathError, PreconditionError
from obstore.store import ObjectStore, from_url
from sightline_service.redaction import redact_message

from sightline_bucket import urls
from sightline_bucket.errors import BucketUnavailable, KeyRefused, ObjectExists, ObjectMissing

# The library's own defaults, ten seconds to three minutes, are longer than any task of Sightline's.
_RETRY: obstore.store.RetryConfig = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
_CLIENT: obstore.store.ClientConfig = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(seconds=60)}


def connect(url: str) -> ObjectStore:
    """Return the store of a URL; a folder is created if it does not exist.

    Raises:
        BucketUnavailable: The settings are incomplete, or the folder cannot be created.
    """
    try:
        if urls.folder(url) is not None:
            return from_url(url, mkdir=True)
        return from_url(url, retry_config=_RETRY, client_options={**_CLIENT, "allow_http": _allows_http()})
    except (BaseError, OSError, ValueError) as error:
        raise BucketUnavailable(f"{url} cannot be opened: {first_line(error)}") from error


def _allows_http() -> bool:
    """Return whether AWS_ALLOW_HTTP or its like is set: obstore reads them only where it is given no options."""
    names = ("AWS_ALLOW_HTTP", "AZURE_ALLOW_HTTP", "GOOGLE_ALLOW_HTTP")
    return any(environ.get(name, "").lower() in ("1", "true", "yes", "on") for name in names)


class LazyStore:
    """A store that opens on first use, which must be after a fork. Safe to share between threads.

    Args:
        connect: Opens it; where that fails, the next call tries again.
        store: Instead of what `connect` would open.
    """

    def __init__(self, connect: Callable[[], ObjectStore], store: ObjectStore | None = None) -> None:
        self._connect = connect
        self._store = store
        self._lock = Lock()

    def __call__(self) -> ObjectStore:
        """Return the store.

        Raises:
            BucketUnavailable: It cannot be opened.
        """
        with self._lock:
            if self._store is None:
                self._store = self._connect()
            return self._store


@contextmanager
def bucket_errors(place: str, key: str = "") -> Iterator[None]:
    """Raise the bucket's own errors in place of obstore's."""
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectMissing(f"{key or place} is not there") from error
    except PreconditionError as error:
        raise ObjectMissing(f"{key} was changed while it was read") from error
    except AlreadyExistsError as error:
        raise ObjectExists(f"{key} is there already") from error
    except (InvalidPathError, ValueError) as error:
        raise KeyRefused(f"{key}: {first_line(error)}") from error
    except (BaseError, OSError) as error:
        raise BucketUnavailable(f"{place} cannot be reached: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    """Return the first line of an error of obstore, without the structures below it and without signatures of URLs."""
    lines = str(error).strip().splitlines()
    return redact_message(lines[0].strip()) if lines else type(error).__name__
