"""The OpenAPI document, and a page that shows it."""

from __future__ import annotations

from typing import cast

from apiflask import APIBlueprint, APIFlask
from flask import Response, current_app, send_from_directory

from sightline_search_gateway.container import current
from sightline_search_gateway.errors import ServiceError
from sightline_search_gateway.http.json_body import dump_json
from sightline_search_gateway.http.responses import conditional
from sightline_search_gateway.http.static_files import PAGE_POLICY

blueprint = APIBlueprint("docs", __name__, enable_openapi=False)
DOCUMENT = "sightline-openapi"
FILES = {"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"}
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sightline: the HTTP API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="docs"></div>
<noscript>The API is described by <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
START = """SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null });
"""


@blueprint.get("/docs")
def get_docs() -> Response:
    """Show the API."""
    folder = current().settings.gateway.docs_folder
    if missing := sorted(name for name in FILES if not (folder / name).is_file()):
        raise ServiceError(
            "docs-missing",
            f"{folder} lacks {', '.join(missing)}. Set GATEWAY_DOCS_DIR to the folder of npm's swagger-ui-dist (it is "
            "there after `npm ci` in services/web). The description itself is at /openapi.json.",
        )
    response = Response(PAGE, content_type="text/html; charset=utf-8")
    response.headers.extend({"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache"})
    return response


@blueprint.get("/docs/<name>")
def get_docs_file(name: str) -> Response:
    """Send a file of the page."""
    if name == "start.js":
        return Response(START, content_type="text/javascript; charset=utf-8")
    if name not in FILES:
        raise ServiceError("docs-missing", f"The documentation page has no file {name[:100]!r}.")
    response = send_from_directory(current().settings.gateway.docs_folder.resolve(), name)
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/openapi.json")
def get_document() -> Response:
    """Send the OpenAPI document."""
    return conditional(Response(_document(), content_type="application/json"))


def _document() -> bytes:
    """Return the document, made once."""
    kept = current_app.extensions.get(DOCUMENT)
    if kept is None:
        kept = current_app.extensions[DOCUMENT] = dump_json(cast(APIFlask, current_app).spec)
    return cast(bytes, kept)
