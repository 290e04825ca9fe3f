"""The application."""

from __future__ import annotations

from typing import Any

from apiflask import APIFlask
from flask import Response, request
from werkzeug.exceptions import NotFound, UnsupportedMediaType

from sightline_search_gateway import __version__
from sightline_search_gateway.container import EXTENSION, Clients, assemble
from sightline_search_gateway.http.openapi import DESCRIPTION, complete
from sightline_search_gateway.http.problems import register_problems
from sightline_search_gateway.http.static_files import StaticFiles, add_common_headers
from sightline_search_gateway.http.telemetry import Telemetry
from sightline_search_gateway.maps.settings import MEBIBYTE
from sightline_search_gateway.routes import changes, docs, images, ingest, maps, search, system
from sightline_search_gateway.security import check_host
from sightline_search_gateway.settings import Settings

BLUEPRINTS = (search, images, changes, maps, ingest, system, docs)
MAX_FORM_BYTES = MEBIBYTE
"""Of a form's parts that are not files."""
BYTES_AN_ID = 64
"""In a JSON list, generously."""
SPEC_SETTINGS: dict[str, Any] = {
    "AUTO_SERVERS": False,
    "AUTO_404_RESPONSE": False,
    "AUTO_AUTH_ERROR_RESPONSE": False,
    "AUTO_VALIDATION_ERROR_RESPONSE": False,
    "SECURITY_SCHEMES": {
        "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "Bearer": {"type": "http", "scheme": "bearer"},
    },
}


def create_app(settings: Settings, clients: Clients) -> APIFlask:
    """Return the application; connects to nothing."""
    app = APIFlask(
        __name__,
        title="Sightline",
        version=__version__,
        spec_path=None,
        docs_path=None,
        static_folder=None,  # type: ignore[arg-type]
    )
    app.config.update(SPEC_SETTINGS)
    app.config.update(
        MAX_CONTENT_LENGTH=settings.gateway.upload_max_bytes + MEBIBYTE,
        MAX_FORM_MEMORY_SIZE=MAX_FORM_BYTES,
        MAX_FORM_PARTS=settings.gateway.upload_max_files + 100,
        PROPAGATE_EXCEPTIONS=False,
    )
    app.description = DESCRIPTION
    app.license = {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"}
    app.spec_processor(complete)  # type: ignore[arg-type]

    telemetry = Telemetry()
    app.extensions[EXTENSION] = assemble(settings, clients, telemetry)
    telemetry.attach(app)
    app.before_request(check_host)
    app.before_request(lambda: _limit_body(settings))
    app.after_request(add_common_headers)
    on_http_error = register_problems(app)
    for topic in BLUEPRINTS:
        app.register_blueprint(topic.blueprint)
    page = StaticFiles(settings.gateway.page_dir)

    def on_not_found(error: NotFound) -> Response:
        # Only what is nothing else is the page's: a rule of its own for every path would answer to the API's too.
        if request.url_rule is None and (response := page.answer(request.path)) is not None:
            return response
        return on_http_error(error)

    app.register_error_handler(NotFound, on_not_found)
    return app


def _limit_body(settings: Settings) -> None:
    """Limit the body's size by the call, and refuse other media types where a form is needed."""
    limits = {
        "search.search": settings.pictures.max_bytes,
        "changes.upload_images": settings.gateway.upload_max_bytes,
        "maps.upload_map": settings.gateway.upload_max_bytes,
    }
    limit = limits.get(request.endpoint or "")
    if request.endpoint == "maps.make_map":
        request.max_content_length = MEBIBYTE + settings.maps.max_points * BYTES_AN_ID
        return
    # The form's other parts and its boundaries come on top.
    request.max_content_length = MEBIBYTE if limit is None else limit + MEBIBYTE
    if limit is not None and request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType("Send multipart/form-data.")
