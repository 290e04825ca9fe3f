"""What documents name exists."""

from __future__ import annotations

import re
import subprocess

import pytest
from sightline_local.stack import ROOT

LINK = re.compile(r"\[[^\]]+\]\(([^)#]+)[^)]*\)")
DOCUMENTS = subprocess.run(
    ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
).stdout.split()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document):
    path = ROOT / document
    targets = [target for target in LINK.findall(path.read_text(encoding="utf-8")) if "://" not in target]
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_every_target_of_the_makefile_that_a_document_names_is_there():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        name
        for document in DOCUMENTS
        for name in re.findall(r"`make ([a-z-]+)", (ROOT / document).read_text(encoding="utf-8"))
    }
    assert named <= targets
