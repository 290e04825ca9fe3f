"""Reads WordNet's nouns, for the tools that write files from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LICENCE = """\
# WordNet Release 3.0. This software and database is being provided to you, the LICENSEE, by Princeton University under
# the following license. By obtaining, using and/or copying this software and database, you agree that you have read,
# understood, and will comply with these terms and conditions.: Permission to use, copy, modify and distribute this
# software and database and its documentation for any purpose and without fee or royalty is hereby granted, provided
# that you agree to comply with the following copyright notice and statements, including the disclaimer, and that the
# same appear on ALL copies of the software, database and documentation, including modifications that you make for
# internal use or for distribution. WordNet 3.0 Copyright 2006 by Princeton University. All rights reserved. THIS
# SOFTWARE AND DATABASE IS PROVIDED "AS IS" AND PRINCETON UNIVERSITY MAKES NO REPRESENTATIONS OR WARRANTIES, EXPRESS OR
# IMPLIED. BY WAY OF EXAMPLE, BUT NOT LIMITATION, PRINCETON UNIVERSITY MAKES NO REPRESENTATIONS OR WARRANTIES OF
# MERCHANT- ABILITY OR FITNESS FOR ANY PARTICULAR PURPOSE OR THAT THE USE OF THE LICENSED SOFTWARE, DATABASE OR
# DOCUMENTATION WILL NOT INFRINGE ANY THIRD PARTY PATENTS, COPYRIGHTS, TRADEMARKS OR OTHER RIGHTS. The name of Princeton
# University or Princeton may not be used in advertising or publicity pertaining to distribution of the software and/or
# database. Title to copyright in this software, database and any associated documentation shall at all times remain
# with Princeton University and LICENSEE agrees to preserve same.
"""
"""For the head of every file that holds parts of WordNet."""


@dataclass(frozen=True)
class Synset:
    """What one meaning is.

    Attributes:
        kind: The number of WordNet's lexicographer file.
        words: Its names, the usual one first, with underscores for spaces.
        definition: What it is, and examples.
        parents: The places of what it is a kind, or an instance, of.
        is_instance: Whether it is a single person or place, and no kind.
        marked: Whether WordNet marks it as offensive.
    """

    kind: int
    words: tuple[str, ...]
    definition: str
    parents: tuple[str, ...]
    is_instance: bool
    marked: bool


def read_synsets(path: Path) -> dict[str, Synset]:
    """Return WordNet's nouns, of its file `data.noun`, by their place in the file."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            continue
        entry, _, definition = line.partition(" | ")
        fields = entry.split()
        count = int(fields[3], 16)
        pointers = fields[5 + 2 * count :]
        symbols = pointers[0::4]
        found[fields[0]] = Synset(
            kind=int(fields[1]),
            words=tuple(fields[4 : 4 + 2 * count : 2]),
            definition=definition.strip(),
            parents=tuple(
                place
                for symbol, place, kind in zip(symbols, pointers[1::4], pointers[2::4], strict=False)
                if symbol in ("@", "@i") and kind == "n"
            ),
            is_instance="@i" in symbols,
            # The usages that something is marked with are slurs, disparagement, obscenity, and harmless ones as well.
            marked=";u" in symbols,
        )
    return found
