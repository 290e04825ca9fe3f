"""A CSV file of captions: the columns `file`, a path in the folder, and `caption`; a picture may have several."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from benchmarks.harness.results import Failed

COLUMNS = ("file", "caption")
SHOWN = 10
LONGEST = 2000
"""Characters of a caption."""


def read_captions(path: Path, keys: Sequence[str]) -> list[tuple[str, str]]:
    """Return the key and the caption of each row.

    Args:
        path: The file, in UTF-8.
        keys: Of the pictures that there are.

    Raises:
        Failed: It cannot be read, has other columns, or rows that are wrong: a line each, for the first ten.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            found = list(_rows(path, csv.DictReader(file, strict=True), set(keys)))
    except UnicodeDecodeError as error:
        raise Failed(f"CAPTIONS={path} is not in UTF-8: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise Failed(f"CAPTIONS={path} cannot be read: {error.strerror}") from error
    except csv.Error as error:
        raise Failed(f"CAPTIONS={path} is no CSV file: {error}") from error
    wrong = [one for one in found if isinstance(one, str)]
    if wrong:
        more = [f"CAPTIONS={path}: and {len(wrong) - SHOWN:,} more rows are wrong"] if len(wrong) > SHOWN else []
        raise Failed("\n".join([*wrong[:SHOWN], *more]))
    if not found:
        raise Failed(f"CAPTIONS={path} has no rows under its header")
    return [one for one in found if not isinstance(one, str)]


def _rows(path: Path, reader: csv.DictReader[str], keys: set[str]) -> Iterator[tuple[str, str] | str]:
    """Yield each row's key and caption, or what is wrong with it."""
    names = reader.fieldnames or []
    if missing := [name for name in COLUMNS if name not in names]:
        raise Failed(f"CAPTIONS={path} lacks the column {' and '.join(missing)}: its first line must be file,caption")
    for row in reader:
        where = f"CAPTIONS={path}, line {reader.line_num}"
        if None in row or None in row.values():
            yield f"{where}: as many fields as the header has are needed, and quotes around a caption with a comma"
            continue
        key, caption = str(PurePosixPath(row["file"].strip())), row["caption"].strip()
        if not caption:
            yield f"{where}: the caption of {row['file']!r} is empty"
        elif len(caption) > LONGEST:
            yield f"{where}: the caption of {row['file']!r} is longer than {LONGEST:,} characters"
        elif key not in keys:
            yield f"{where}: there is no picture {row['file']!r} in the folder"
        else:
            yield key, caption
