"""The application."""

from __future__ import annotations

from typing import Any

from apiflask import APIFlask
from flask import Response, request
from werkzeug.exceptions import NotFound

from sightline_search_gateway import __version__
from sightline_search_gateway.access.guard import COOKIE, check_access, keep_private, open_paths
from sightline_search_gateway.access.origins import check_host
from sightline_search_gateway.container import EXTENSION, Clients, assemble
from sightline_search_gateway.http.admission import Admission
from sightline_search_gateway.http.bodies import check_body
from sightline_search_gateway.http.openapi import DESCRIPTION, complete
from sightline_search_gateway.http.problems import register_problems
from sightline_search_gateway.http.request_data import GatewayRequest, MapIdConverter, use_strict_loaders
from sightline_search_gateway.http.static_files import StaticFiles, add_common_headers
from sightline_search_gateway.http.telemetry import Telemetry
from sightline_search_gateway.maps.settings import MEBIBYTE
from sightline_search_gateway.routes import (
    changes,
    docs,
    duplicates,
    facets,
    images,
    ingest,
    maps,
    search,
    session,
    system,
)
from sightline_search_gateway.settings import Settings

ADMISSION = "sightline-admission"
BLUEPRINTS = (search, images, duplicates, facets, changes, maps, ingest, session, system, docs)
MAX_FORM_BYTES = MEBIBYTE
"""Of a form's parts that are not files."""
SPEC_SETTINGS: dict[str, Any] = {
    "AUTO_SERVERS": False,
    "AUTO_404_RESPONSE": False,
    "AUTO_AUTH_ERROR_RESPONSE": False,
    "AUTO_VALIDATION_ERROR_RESPONSE": False,
    "SECURITY_SCHEMES": {
        "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "Bearer": {"type": "http", "scheme": "bearer"},
        "Session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
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
    app.request_class = GatewayRequest
    use_strict_loaders()
    # Otherwise `/maps/uploads` would be taken for a map's address.
    app.url_map.converters["map"] = MapIdConverter
    app.config.update(SPEC_SETTINGS)
    app.config.update(
        MAX_CONTENT_LENGTH=settings.gateway.upload_max_bytes + MEBIBYTE,
        MAX_FORM_MEMORY_SIZE=MAX_FORM_BYTES,
        MAX_FORM_PARTS=settings.gateway.upload_max_files + 100,
        PROPAGATE_EXCEPTIONS=False,
    )
    app.description = DESCRIPTION
    app.license = {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"}
    app.spec_processor(lambda document: complete(document, open_paths(app.url_map)))  # type: ignore[arg-type]

    telemetry = Telemetry()
    container = app.extensions[EXTENSION] = assemble(settings, clients, telemetry)
    telemetry.attach(app)
    app.extensions[ADMISSION] = Admission(
        app,
        [
            lambda: check_host(settings.gateway),
            lambda: check_access(container.access),
            lambda: check_body(settings),
        ],
    )
    app.after_request(lambda response: keep_private(container.access, response))
    app.after_request(add_common_headers)
    on_http_error = register_problems(app)
    for topic in BLUEPRINTS:
        app.register_blueprint(topic.blueprint)
    page = StaticFiles(settings.gateway.page_dir)

    def on_not_found(error: NotFound) -> Response:
        # Only what is nothing else is the page's: a rule of its own for every path would answer to the API's too.
        found = page.answer(request.path) if request.url_rule is None else None
        return found or page.not_found(request.path) or on_http_error(error)

    app.register_error_handler(NotFound, on_not_found)
    return app
