"""Decodes image files safely to pictures, reads their EXIF, makes thumbnails, and preprocesses them for a model."""

from sightline_pictures.errors import PictureError
from sightline_pictures.formats import EXTENSIONS, FORMATS, has_image_extension
from sightline_pictures.picture import MAX_SIDE, Picture, check_size, open_picture
from sightline_pictures.preprocessing import Preprocessing, preprocess
from sightline_pictures.settings import PictureSettings
from sightline_pictures.thumbnails import preview, thumbnail

__all__ = [
    "EXTENSIONS",
    "FORMATS",
    "MAX_SIDE",
    "Picture",
    "PictureError",
    "PictureSettings",
    "Preprocessing",
    "check_size",
    "has_image_extension",
    "open_picture",
    "preprocess",
    "preview",
    "thumbnail",
]
