"""Calls a gateway by the client that openapi-python-client wrote. Arguments: the client's folder, the gateway's URL."""

from __future__ import annotations

import io
import sys

sys.path.insert(0, sys.argv[1])

from client import Client
from client.api.images import browse_images, get_image, get_image_file, get_image_thumbnail
from client.api.ingest import get_ingest, rescan
from client.api.maps import delete_map
from client.api.operations import get_health, get_models
from client.api.search import search, search_by_text
from client.models import ComposedQuery, Images, Problem, QueryPart, Queued, Rescan, SearchForm, SearchResults
from client.types import File

client = Client(base_url=sys.argv[2], raise_on_unexpected_status=True)

assert get_health.sync(client=client).status == "ok"
assert get_models.sync(client=client).models[0].dimensions > 0
assert get_ingest.sync(client=client).indexed == 3

found = search_by_text.sync(client=client, q="a cat", limit=2)
assert isinstance(found, SearchResults), found
assert len(found.results) == 2
assert -1 <= found.results[0].similarity <= 1
assert found.results[0].taken_at is None

page = browse_images.sync(client=client, limit=2, label=["colors"])
assert isinstance(page, Images)
assert len(page.images) == 2
rest = browse_images.sync(client=client, limit=2, label=["colors"], cursor=page.cursor)
assert len(rest.images) == 1

image = get_image.sync(page.images[0].id, client=client)
assert image.key == page.images[0].key
file = get_image_file.sync(image.id, client=client)
data = file.payload.read()
assert data.startswith(b"\xff\xd8\xff")
assert len(data) == image.bytes_
part = get_image_file.sync_detailed(image.id, client=client, range_="bytes=0-9")
assert part.status_code == 206
assert part.content == data[:10]
thumbnail = get_image_thumbnail.sync(image.id, client=client).payload.read()
assert thumbnail[:4] == b"RIFF"
assert thumbnail[8:12] == b"WEBP"

by_picture = search.sync(client=client, body=SearchForm(file=File(io.BytesIO(data), "cat.jpg", "image/jpeg"), limit=1))
assert by_picture.results[0].id == image.id
unwanted = QueryPart(id=image.id, not_=True)
composed = search.sync(client=client, body=ComposedQuery(parts=[QueryPart(text="a cat"), unwanted]))
assert len(composed.results) == 2

assert isinstance(rescan.sync(client=client, body=Rescan()), Queued)
nothing = get_image.sync("00000000-0000-0000-0000-000000000000", client=client)
assert isinstance(nothing, Problem)
assert nothing.type_ == "urn:sightline:problem:image-not-found"
assert delete_map.sync_detailed("m-00000000000000000000", client=client).status_code in (404, 503)
print("all calls answered")
