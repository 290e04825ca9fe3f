"""Decodes image files safely to pictures, reads their metadata, makes thumbnails, and preprocesses them for a model."""

from sightline_pictures.crop import Crop
from sightline_pictures.errors import PictureError
from sightline_pictures.formats import EXTENSIONS, FORMATS
from sightline_pictures.names import (
    HEAD_BYTES,
    NameKind,
    extension_of,
    has_image_extension,
    is_image_head,
    name_kind,
    what_it_is,
)
from sightline_pictures.picture import MAX_SIDE, READER_VERSION, Picture, check_size, open_picture, read_tags
from sightline_pictures.preprocessing import Preprocessing, preprocess
from sightline_pictures.settings import PictureSettings
from sightline_pictures.thumbnails import preview, thumbnail

__all__ = [
    "EXTENSIONS",
    "FORMATS",
    "HEAD_BYTES",
    "MAX_SIDE",
    "READER_VERSION",
    "Crop",
    "NameKind",
    "Picture",
    "PictureError",
    "PictureSettings",
    "Preprocessing",
    "check_size",
    "extension_of",
    "has_image_extension",
    "is_image_head",
    "name_kind",
    "open_picture",
    "preprocess",
    "preview",
    "read_tags",
    "thumbnail",
    "what_it_is",
]
