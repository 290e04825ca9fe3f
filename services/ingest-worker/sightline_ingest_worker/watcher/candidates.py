"""Which objects could be images: by their names, else by their first bytes; and what the others are."""

from __future__ import annotations

from typing import NamedTuple

from sightline_bucket import Bucket, BucketObject, KeyRefused, ObjectMissing, ObjectUnreadable
from sightline_bucket.left_out import Kind
from sightline_pictures import HEAD_BYTES, NameKind, extension_of, is_image_head, name_kind, what_it_is

LONGEST_EXTENSION = 12
NO_IMAGE = "not an image by its first bytes"


class OtherFile(NamedTuple):
    """What a file is that could not be an image; see `LeftOut.add`."""

    kind: Kind
    name: str
    reason: str


class Candidates:
    """Says which objects could be images.

    Where the name does not say it the first bytes are read, once for each version of an object.

    Args:
        bucket: Where they are.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._heads: dict[int, bool] = {}
        self._heads_before: dict[int, bool] = {}
        """Whether an object's first bytes are an image's, by the hash of name and ETag: of those seen since the last
        scan began, and of those seen before that."""

    def begin_scan(self) -> None:
        """Forget the objects that the scan before did not see."""
        self._heads_before, self._heads = self._heads, {}

    def could_be_image(self, seen: BucketObject, read_etag: str | None = None, *, has_record: bool = False) -> bool:
        """Return whether an object could be an image.

        Args:
            seen: The object; a folder that cannot be listed could hold some.
            read_etag: The ETag under which it is known to be one, if it is.
            has_record: Whether there is a record of it, if only of a failure.

        Raises:
            BucketUnavailable: The bucket does not answer.
        """
        kind = name_kind(seen.display_name)
        if seen.is_folder or kind is not NameKind.UNKNOWN:
            return seen.is_folder or kind is NameKind.IMAGE
        if seen.key is None or seen.problem is not None or seen.size == 0:
            return False
        if read_etag == seen.etag:
            return True
        version = hash((seen.raw_name, seen.etag))
        known = self._heads.get(version, self._heads_before.get(version))
        if known is None:
            try:
                with self._bucket.open(seen.key) as opened:
                    known = is_image_head(opened.read(0, HEAD_BYTES))
            except (ObjectMissing, KeyRefused):
                return False
            except ObjectUnreadable:
                # One that is known goes on being tried.
                return has_record
        self._heads[version] = known
        return known


def other_file(seen: BucketObject) -> OtherFile:
    """Return what an object is that could not be an image."""
    if seen.problem is not None:
        return OtherFile("unreadable", seen.problem, seen.problem)
    extension, what = extension_of(seen.display_name), what_it_is(seen.display_name)
    reason = what or ("empty" if seen.size == 0 else NO_IMAGE)
    if not extension or len(extension) > LONGEST_EXTENSION or " " in extension:
        return OtherFile("no_extension", "", reason)
    return OtherFile("extension", extension, reason)
