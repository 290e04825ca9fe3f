"""Writes the OpenAPI document into the tree, or checks that it is up to date.

python -m sightline_search_gateway.write_openapi [--check]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from sightline_bucket import BucketSettings, ThumbnailSettings

from sightline_search_gateway.bootstrap import bootstrap
from sightline_search_gateway.settings import Settings

DOCUMENT = Path(__file__).parents[1] / "openapi.json"


def document() -> str:
    """Return the document as it is kept in the tree."""
    # Nothing connects before it is used, and the document depends on no setting.
    settings = Settings(
        bucket=BucketSettings(url="file:///pictures"), thumbnails=ThumbnailSettings(url="file:///thumbnails")
    )
    return json.dumps(bootstrap(settings).spec, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    """Write or check; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the file is up to date")
    parser.add_argument("--output", type=Path, default=DOCUMENT, help="where (default: %(default)s)")
    arguments = parser.parse_args()
    text = document()
    if not arguments.check:
        arguments.output.write_text(text, encoding="utf-8")
        return 0
    if not arguments.output.is_file() or arguments.output.read_text(encoding="utf-8") != text:
        print(f"{arguments.output} is out of date: python -m sightline_search_gateway.write_openapi", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
