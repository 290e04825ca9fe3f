"""Fetches the sample pictures: the stamps of Tux Paint, from Debian's package archive.

They come from the package `tuxpaint-stamps-default` (public domain and free licences, see its copyright file),
by apt-get with folders of its own, so that it needs no root and touches nothing of the system's. The folder that
a picture lies in is its label. Captions are kept apart, for the quality benchmark; a search never sees them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGE = "tuxpaint-stamps-default"
STAMPS = Path("usr/share/tuxpaint/stamps")
EXCLUDED_FOLDERS = {"symbols"}
"""Letters, digits and coins: nobody searches for them by what they show."""
STYLE_FOLDERS = {"cartoon", "plastic"}
"""Folders named by the style of drawing, not by what is drawn; their pictures go to the parent folder."""
ADVICE = "Give your own pictures instead: make demo IMAGES=FOLDER"


class SamplesUnavailable(Exception):
    """The sample pictures cannot be fetched; the message says what to do."""


def fetch(target: Path) -> int:
    """Put the sample pictures into `target`, and their captions into `target`-captions.json, unless they exist.

    Returns:
        How many pictures there are.

    Raises:
        SamplesUnavailable: apt is missing, or its archive cannot be reached.
    """
    captions_path = target.with_name(f"{target.name}-captions.json")
    if captions_path.is_file() and target.is_dir():
        return len(json.loads(captions_path.read_text(encoding="utf-8")))
    for tool in ("apt-get", "dpkg"):
        if shutil.which(tool) is None:
            raise SamplesUnavailable(
                f"The sample pictures come from Debian's archive, and {tool} is not installed. {ADVICE}"
            )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="fetching-") as folder:
        stamps = _unpack(Path(folder)) / STAMPS
        ready = Path(folder, "pictures")
        captions = _sort_by_label(stamps, ready)
        shutil.rmtree(target, ignore_errors=True)
        ready.rename(target)
        captions_path.write_text(json.dumps(captions, indent=1, ensure_ascii=False), encoding="utf-8")
    return len(captions)


def _unpack(folder: Path) -> Path:
    package = _download(folder)
    unpacked = folder / "unpacked"
    subprocess.run(["dpkg", "-x", package, unpacked], check=True)
    return unpacked


def _download(folder: Path) -> Path:
    lists, cache = folder / "lists", folder / "cache"
    (lists / "partial").mkdir(parents=True)
    (cache / "archives/partial").mkdir(parents=True)
    own_folders = [
        f"-oDir::State::lists={lists}",
        f"-oDir::Cache={cache}",
        # Root's apt-get would otherwise drop to a user that cannot write here.
        "-oAPT::Sandbox::User=",
        "-oAcquire::Retries=3",
        "-oAcquire::http::Timeout=30",
        "-oAcquire::Languages=none",
    ]
    for words in (["update"], ["download", PACKAGE]):
        done = subprocess.run(
            ["apt-get", "-qq", *own_folders, *words], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise SamplesUnavailable(f"apt-get could not fetch {PACKAGE}: {reason}. {ADVICE}")
    packages = list(folder.glob(f"{PACKAGE}_*.deb"))
    if not packages:
        raise SamplesUnavailable(f"apt-get gave no {PACKAGE}. {ADVICE}")
    _check(packages[0], own_folders)
    return packages[0]


def _check(package: Path, options: list[str]) -> None:
    """Compare the file with the SHA-256 in the archive's signed index."""
    shown = subprocess.run(
        ["apt-cache", *options, "show", PACKAGE], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    expected = {line.partition(": ")[2] for line in shown if line.startswith("SHA256: ")}
    if hashlib.sha256(package.read_bytes()).hexdigest() not in expected:
        raise SamplesUnavailable(f"{package.name} is not what Debian's index says; try again. {ADVICE}")


def _sort_by_label(stamps: Path, target: Path) -> dict[str, str]:
    """Copy the pictures into folders that are labels; return captions by key."""
    captions = {}
    for picture in sorted(stamps.rglob("*.png")):
        inside = picture.relative_to(stamps)
        if inside.parts[0] in EXCLUDED_FOLDERS or "_mirror" in picture.stem:
            continue
        folder = Path(*[part for part in inside.parent.parts if part not in STYLE_FOLDERS])
        key = folder / picture.name
        if (target / key).exists():
            key = folder / f"{picture.parent.name}-{picture.name}"
        (target / key).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, target / key)
        text = picture.with_suffix(".txt")
        if text.is_file():
            captions[os.fspath(key)] = text.read_text(encoding="utf-8", errors="replace").splitlines()[0].strip()
    return captions


def main() -> int:
    """Fetch into the folder given."""
    target = Path(sys.argv[1])
    try:
        count = fetch(target)
    except SamplesUnavailable as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{count} sample pictures in {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
