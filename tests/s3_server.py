"""An S3 store for tests: moto's server, which keeps any key, as Amazon does; and failures of it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

Respond = Callable[..., Any]

ERROR = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{}</Code><Message>as the test wants</Message></Error>'
_NUMBERS = itertools.count(1)


class S3Server:
    """A store in a thread of this process.

    Attributes:
        url: Its endpoint.
        environment: The settings of its clients.
        client: A client of it.
        failing: HTTP status and code that requests get instead of an answer, by `METHOD /path`, where either may be *.
    """

    def __init__(self) -> None:
        # Late: they take seconds, and most tests need none.
        from botocore.session import Session
        from moto.backends import get_backend
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Quiet(WSGIRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_request(self, *_: object) -> None:
                """Log nothing."""

        self._backend = get_backend("s3")["123456789012"]["aws"]
        self.failing: dict[str, tuple[int, str]] = {}
        self._answer = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._respond, threaded=True, request_handler=Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.environment = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "id",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
        }
        self.client: Any = Session().create_client(
            "s3", "us-east-1", endpoint_url=self.url, aws_access_key_id="id", aws_secret_access_key="secret"
        )

    def make_bucket(self) -> str:
        """Make a bucket, and return its name."""
        name = f"pictures-{next(_NUMBERS)}"
        self.client.create_bucket(Bucket=name)
        return name

    def delete_bucket(self, name: str) -> None:
        """Delete a bucket with all that is in it."""
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=name):
            for entry in page.get("Contents", ()):
                self.client.delete_object(Bucket=name, Key=entry["Key"])
        self.client.delete_bucket(Bucket=name)

    def put(self, bucket: str, key: str, data: bytes, **options: str) -> None:
        """Put an object, past Sightline."""
        self.client.put_object(Bucket=bucket, Key=key, Body=data, **options)

    def put_many(self, bucket: str, keys: Iterable[str]) -> None:
        """Store empty objects, without a request for each."""
        for key in keys:
            self._backend.put_object(bucket, key, b"")

    def keys(self, bucket: str) -> list[str]:
        """Return the keys of a bucket."""
        return [entry["Key"] for entry in self.client.list_objects_v2(Bucket=bucket).get("Contents", ())]

    @contextmanager
    def fails(self, request: str, status: int, code: str) -> Iterator[None]:
        """Answer some requests, as `GET /bucket/key`, with an error."""
        self.failing[request] = (status, code)
        try:
            yield
        finally:
            del self.failing[request]

    @contextmanager
    def settings(self) -> Iterator[None]:
        """Have the environment's clients use this store."""
        with patch.dict("os.environ", self.environment):
            yield

    def close(self) -> None:
        """End the store."""
        self.client.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _respond(self, environ: dict[str, Any], start_response: Respond) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], quote(environ["PATH_INFO"], encoding="latin-1")
        for request in (f"{method} {path}", f"* {path}", f"{method} *", "* *"):
            if request in self.failing:
                status, code = self.failing[request]
                environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                body = b"" if method == "HEAD" else ERROR.format(code).encode()
                start_response(f"{status} Failing", [("Content-Type", "application/xml")])
                return [body]
        return self._answer(environ, start_response)  # type: ignore[no-any-return]
