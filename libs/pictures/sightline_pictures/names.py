"""What a file's name says of it: an image, something else, or nothing, so that its first bytes have to be read."""

from __future__ import annotations

from enum import Enum

from sightline_pictures.formats import EXTENSIONS, detect

HEAD_BYTES = 512
"""As many of a file's first bytes as `is_image_head` looks at."""

_OTHERS = {
    "video": ".3gp .avi .flv .insv .lrv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ogv .ts .vob .webm .wmv",
    "sound": ".aac .aif .aiff .amr .flac .m4a .mid .mp3 .ogg .opus .wav .wma",
    "vector graphics": ".ai .cdr .dwg .dxf .emf .eps .ps .svg .svgz .wmf",
    "document": ".csv .doc .docx .epub .htm .html .key .log .md .numbers .odp .ods .odt .pages .pdf .ppt .pptx .rtf "
    ".tex .txt .xls .xlsx",
    "sidecar of an image": ".aae .cos .dop .exif .iptc .json .on1 .pp3 .thm .xml .xmp .yaml .yml",
    "project of an editor": ".afphoto .af .blend .cpr .indd .kra .lrcat .lrcat-data .lrdata .lrprev .pdn .procreate "
    ".psb .xcf",
    "archive": ".7z .bz2 .dmg .gz .iso .rar .tar .tgz .xz .zip .zst",
    "program or its data": ".bat .cfg .conf .css .db .dll .dylib .exe .ini .jar .js .lnk .lock .otf .php "
    ".plist .py .pyc .sh .so .sqlite .sqlite-journal .sqlite-shm .sqlite-wal .ttf .url .woff .woff2",
    "unfinished download": ".crdownload .download .part .partial .tmp .temp",
    "checksum": ".md5 .par2 .sfv .sha1 .sha256",
}
_KIND_OF = {extension: kind for kind, extensions in _OTHERS.items() for extension in extensions.split()}


class NameKind(Enum):
    """What a file's name says of it."""

    IMAGE = "its extension is that of an image format that is read"
    OTHER = "its extension is that of something else"
    UNKNOWN = "it has no extension, or one that says nothing"


def extension_of(key: str) -> str:
    """Return a key's extension in lower case, with its dot; empty where there is none, as for `README` and `.jpg`."""
    stem, dot, extension = key.rpartition("/")[2].rpartition(".")
    return f".{extension.lower()}" if dot and stem.strip(".") and extension else ""


def has_image_extension(key: str) -> bool:
    """Return whether a key ends in one of EXTENSIONS."""
    return extension_of(key) in EXTENSIONS


def name_kind(key: str) -> NameKind:
    """Return what a key's extension says; for UNKNOWN its first HEAD_BYTES decide, by `is_image_head`."""
    extension = extension_of(key)
    if extension in EXTENSIONS:
        return NameKind.IMAGE
    return NameKind.OTHER if extension in _KIND_OF else NameKind.UNKNOWN


def what_it_is(key: str) -> str | None:
    """Return in a word or two what a file is whose name says that it is not an image that is read, else None."""
    return _KIND_OF.get(extension_of(key))


def is_image_head(head: bytes) -> bool:
    """Return whether a file that begins with these bytes may be an image that is read.

    Args:
        head: The first HEAD_BYTES, or the whole file where it is shorter.
    """
    return detect(head) is not None
