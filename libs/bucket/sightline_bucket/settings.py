"""Where the pictures are, and where the thumbnails go."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict
from sightline_service import SettingsGroup

from sightline_bucket import urls
from sightline_bucket.selection import Selection, split_patterns

Url = Annotated[str, AfterValidator(urls.check)]


class BucketSettings(SettingsGroup):
    """The bucket: where the pictures are."""

    model_config = SettingsConfigDict(env_prefix="BUCKET_")

    url: Url = Field(examples=["file:///srv/pictures"])
    """The bucket: file:///folder or s3://bucket/prefix, of Amazon or a compatible store. Its credentials come from the
    usual variables (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL, ...)."""
    id: str = Field(default="main", pattern=r"^[A-Za-z0-9._-]{1,64}$")
    """Part of every picture's id: keep it when the folder moves, choose another one for another bucket."""
    writable: bool = False
    """Whether pictures may be added to and removed from the bucket through the page and the API."""
    exclude: str = Field(default="", examples=["Private/, *.tmp.jpg, !@eaDir/"])
    """Patterns of what is left out, in gitignore's syntax, separated by commas, or one a line. They come after the
    default ones (hidden files, recycle bins, snapshots, thumbnails of storage boxes, what photo programs keep beside
    the originals); a pattern with ! takes back what those leave out. A folder with a file .nomedia is left out, too."""
    include: str = Field(default="", examples=["Photos/, *.jpg"])
    """Patterns, likewise, of which one must take a file in; empty takes in everything that is not left out."""

    @property
    def selection(self) -> Selection:
        """What these patterns leave out and take in."""
        return Selection(split_patterns(self.exclude), split_patterns(self.include))

    @field_validator("exclude", "include")
    @classmethod
    def _are_patterns(cls, text: str) -> str:
        Selection(split_patterns(text))
        return text


class ThumbnailSettings(SettingsGroup):
    """Where the thumbnails go."""

    model_config = SettingsConfigDict(env_prefix="THUMBNAIL_")

    url: Url = Field(examples=["file:///srv/thumbnails"])
    """Where thumbnails go: a place as for BUCKET_URL, never inside the bucket."""
    bucket_url: str = Field(default="", validation_alias="BUCKET_URL", repr=False, exclude=True)
    """Read only to see that the thumbnails do not go among the pictures."""

    @model_validator(mode="after")
    def _outside_the_bucket(self) -> Self:
        try:
            inside = bool(self.bucket_url) and urls.is_inside(self.url, self.bucket_url)
        except ValueError:
            # The bucket's own setting says what is wrong with it.
            return self
        if inside:
            raise ValueError(
                f"THUMBNAIL_URL={self.url}: it is inside the bucket, {self.bucket_url}; "
                "choose a folder outside, so that thumbnails are not taken for pictures"
            )
        return self
