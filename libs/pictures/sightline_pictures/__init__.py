"""Pictures: opened safely, described, shown smaller, and brought to a model's input."""

from sightline_pictures.errors import PictureError
from sightline_pictures.formats import EXTENSIONS, looks_like_picture
from sightline_pictures.picture import Picture, open_picture
from sightline_pictures.preprocessing import Preprocessing, preprocess
from sightline_pictures.settings import PictureSettings
from sightline_pictures.smaller import preview, thumbnail

__all__ = [
    "EXTENSIONS",
    "Picture",
    "PictureError",
    "PictureSettings",
    "Preprocessing",
    "looks_like_picture",
    "open_picture",
    "preprocess",
    "preview",
    "thumbnail",
]
