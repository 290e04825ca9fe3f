"""What the bucket holds that is not indexed: by kind, in words, with examples."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from sightline_bucket.left_out import Kind
from sightline_service.left_out_report import LeftOutFiles, LeftOutReport

ENDINGS: dict[Kind, str] = {
    "hidden": "hidden",
    "folder": "in {name}",
    "pattern": "left out by the pattern {name}",
    "no_media": "in folders with a file .nomedia",
    "not_included": "not taken in by BUCKET_INCLUDE",
    "extension": "with the extension {name}",
    "no_extension": "without an extension",
    "unreadable": "that cannot be read",
    "other": "of other kinds",
}


@dataclass(frozen=True)
class LeftOutGroup:
    """Files that are left out for one reason."""

    kind: Annotated[
        Kind,
        "Why: `hidden`, a name that begins with a dot; `folder`, one that programs and storage systems make; "
        "`pattern`, one of BUCKET_EXCLUDE or of the defaults; `no_media`, a folder with a file .nomedia; "
        "`not_included`, no pattern of BUCKET_INCLUDE; `extension`, that of something else; `no_extension`, and bytes "
        "that are not an image's; `unreadable`; `other`.",
    ]
    name: Annotated[str, "The folder, pattern or extension; empty where the kind says all."]
    title: Annotated[str, "How many and which, in words."]
    reason: Annotated[str, "Why, in words."]
    count: int
    at_least: Annotated[bool, "Whether there may be more: large folders are not counted to their end."]
    examples: Annotated[list[str], "Some of their keys."]


@dataclass(frozen=True)
class LeftOut:
    """What the last scan left out."""

    scanned_at: Annotated[datetime | None, "When; null while that is not known."] = None
    count: Annotated[int, "How many files in all."] = 0
    groups: Annotated[list[LeftOutGroup], "The largest first."] = field(default_factory=list)


def left_out_of(report: LeftOutReport | None) -> LeftOut:
    """Return what the watcher reported, for an answer."""
    if report is None:
        return LeftOut()
    return LeftOut(report.scanned_at, sum(one.count for one in report.files), [_group(one) for one in report.files])


def _group(files: LeftOutFiles) -> LeftOutGroup:
    kind = files.kind if files.kind in ENDINGS else "other"
    number = f"{'at least ' if files.at_least else ''}{files.count:,}"
    title = f"{number} {ENDINGS[kind].format(name=files.name)}"
    told = files.model_dump() | {"kind": kind}
    return LeftOutGroup(title=title, **told)
