"""What the page and the catalogue have to know of pictures agrees with the library that reads them."""

from __future__ import annotations

import re

from sightline_catalogue.words import stem_of
from sightline_local.stack import ROOT
from sightline_pictures.formats import EXTENSIONS, FORMATS
from sightline_pictures.thumbnails import PREVIEW_SIDE, THUMBNAIL_SIDE

PAGE = ROOT / "services" / "web" / "src" / "lib"


def test_the_page_takes_the_extensions_that_are_read():
    found = re.search(r"EXTENSIONS =\s+/\\\.\(([a-z0-9|]+)\)\$/i", (PAGE / "files.ts").read_text(encoding="utf-8"))
    assert found is not None
    assert {f".{name}" for name in found[1].split("|")} == EXTENSIONS


def test_the_catalogue_knows_the_extensions_that_are_read():
    assert {stem_of(f"a{extension.upper()}") for extension in EXTENSIONS} == {"a"}
    assert [stem_of(name) for name in ("a.b", "a.png.xmp", ".png", "a.jpgs")] == ["a.b", "a.png.xmp", ".png", "a.jpgs"]


def test_every_format_that_is_read_is_named_where_people_read_of_it():
    texts = [
        (PAGE / "explain.ts").read_text(encoding="utf-8"),
        (ROOT / "README.md").read_text(encoding="utf-8"),
        (ROOT / "libs" / "pictures" / "README.md").read_text(encoding="utf-8"),
    ]
    assert not [name for name in FORMATS for text in texts if name not in text]


def test_the_page_knows_how_large_thumbnails_and_previews_are():
    source = (PAGE / "tile-shapes.ts").read_text(encoding="utf-8")
    sides = dict(re.findall(r"^const (\w+_SIDE) = (\d+);", source, re.MULTILINE))
    assert sides == {"THUMBNAIL_SIDE": str(THUMBNAIL_SIDE), "PREVIEW_SIDE": str(PREVIEW_SIDE)}
