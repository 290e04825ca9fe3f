"""Time of `GET /search` over HTTP, by step, at one and at eight clients: `make bench-search IMAGES=FOLDER`.

The real services are started here on free ports and index the pictures first. Then 1,000 distinct texts are searched
for, none twice, so that the cache of queries never helps: by one client, then 1,000 others by eight clients at once.
The whole time is the client's, from before the request is sent until the answer is read; the encoder's and the
database's are what the answer says; the rest is what is left: HTTP, JSON, Python. Clusters are left out: what they
take, `make naming` says.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from sightline_local.readiness import NotReady

from benchmarks.harness import pictures, results, searches
from benchmarks.harness.searches import LIMIT, QUERIES, SearchFailed
from benchmarks.harness.system import system

WARM_UP = 30


def main() -> None:
    """Index, search, print, draw and write."""
    options = results.command_line("bench-search", __doc__).parse_args()
    results.warn_if_busy()
    found = pictures.find(options.images)
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as folder:
        try:
            with system(found.folder, Path(folder) / "state") as running:
                state = running.wait()
                results.say(f"{state.indexed:,} pictures indexed, {state.failed} failed")
                port = running.stack.ports.gateway
                searches.search(port, pictures.texts("warm {}", count=WARM_UP), 1)
                one = searches.search(port, pictures.texts("a photo of a {}", count=QUERIES), 1)
                eight = searches.search(port, pictures.texts("a drawing of a {}", count=QUERIES), 8)
        except (NotReady, SearchFailed) as error:
            sys.exit(str(error))
    title = "GET /search over HTTP, cache of queries cold"
    searches.show("bench-search", title, {"1 client": one, "8 clients": eight})
    named = ("total_p50_ms", "total_p99_ms", "encode_p50_ms", "search_p50_ms", "rest_p50_ms")
    figures = {name: one.figures()[name] for name in named}
    figures |= {"queries_per_second_8": eight.rate, "queries_per_second_1": one.rate, **eight.figures("_8")}
    settings = {
        "images": str(found.folder),
        "indexed": state.indexed,
        "queries": QUERIES,
        "limit": LIMIT,
        "clusters": False,
        "query_cache": "cold",
    }
    results.write("bench-search", settings=settings, figures=figures)


if __name__ == "__main__":
    main()
