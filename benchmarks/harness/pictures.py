"""What is encoded and searched for: a folder of the user's, or the sample pictures; and texts."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sightline_bucket import BucketSettings, open_bucket
from sightline_encoder import models
from sightline_encoder.errors import ModelError
from sightline_encoder.models.embedded.conse import class_texts
from sightline_encoder.settings import EncoderSettings
from sightline_local import samples
from sightline_local.stack import ROOT
from sightline_pictures import (
    PictureError,
    PictureSettings,
    Preprocessing,
    has_image_extension,
    open_picture,
    preprocess,
)

from benchmarks.harness.results import Failed, say

T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S", bound=Any)
Pixels = NDArray[np.uint8]
Vectors = NDArray[np.float32]

DATA = ROOT / "data"
MODELS = DATA / "models"
"""Where `make demo` keeps converted models; shared, so that a benchmark does not convert them again."""
LIMITS = PictureSettings()


@dataclass(frozen=True)
class Collection:
    """A folder of pictures: its name, where it is, the keys of its pictures in it, and captions by key."""

    name: str
    folder: Path
    keys: list[str]
    captions: dict[str, str]

    def label(self, key: str) -> str | None:
        """Return the folder that a picture lies in; None at the top."""
        return key.split("/")[-2] if "/" in key else None

    def read(self, key: str) -> bytes:
        """Return a picture's bytes."""
        return (self.folder / key).read_bytes()

    def some(self, count: int) -> list[bytes]:
        """Return the bytes of `count` pictures, spread over the collection; fewer where it has fewer."""
        return [self.read(key) for key in self.keys[:: max(1, len(self.keys) // count)][:count]]


def find(images: str | None) -> Collection:
    """Return the collection at a path, or the sample pictures, fetched if they are not there yet."""
    folder = DATA / "samples" if images is None else Path(images).expanduser().resolve()
    try:
        if images is None:
            samples.fetch(folder)
    except samples.SamplesUnavailable as error:
        raise Failed(str(error)) from error
    if not folder.is_dir():
        raise Failed(f"IMAGES={images} is not a folder")
    bucket = open_bucket(BucketSettings(url=folder.as_uri()))
    keys = [found.key for found in bucket.list() if found.key and not found.problem and has_image_extension(found.key)]
    if not keys:
        raise Failed(f"there are no pictures in {folder}")
    return Collection(folder.name, folder, keys, _captions(folder, keys))


def _captions(folder: Path, keys: list[str]) -> dict[str, str]:
    """Return the captions kept beside the folder in FOLDER-captions.json, or beside each picture in a .txt file."""
    beside = folder.with_name(f"{folder.name}-captions.json")
    if beside.is_file():
        written = json.loads(beside.read_text(encoding="utf-8"))
    else:
        texts = {key: (folder / key).with_suffix(".txt") for key in keys}
        written = {
            key: text.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
            for key, text in texts.items()
            if text.is_file()
        }
    return {key: written[key].strip() for key in keys if written.get(key, "").strip()}


def chunks(items: S, size: int) -> Iterator[S]:
    """Yield the pieces of at most `size` of what can be sliced."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def ahead(pool: Executor, work: Callable[[T], R], items: Iterable[T], count: int) -> Iterator[R]:
    """Yield results in order, with at most `count` under way: memory stays bounded while whoever takes them is busy."""
    under_way: deque[Future[R]] = deque()
    for item in items:
        under_way.append(pool.submit(work, item))
        if len(under_way) >= count:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


def opened(data: bytes, min_side: int | None = None) -> Any:
    """Return a picture as the product decodes it, or in full where no least side is given."""
    return open_picture(data, max_bytes=LIMITS.max_bytes, max_pixels=LIMITS.max_pixels, min_side=min_side).image


def pixels(data: Sequence[bytes], steps: Preprocessing, count: int) -> Pixels:
    """Return (count, height, width, 3) uint8: the pictures at a model's input, over again if need be."""
    ready = [each for each in (_prepared(one, steps) for one in data) if not isinstance(each, str)]
    if not ready:
        raise Failed("none of the pictures can be read")
    return np.stack(list(islice(cycle(ready), count)))


def _prepared(data: bytes, steps: Preprocessing) -> Pixels | str:
    try:
        return preprocess(opened(data, steps.min_side), steps)
    except PictureError as error:
        return error.reason


def _read(pictures: Collection, key: str, steps: Preprocessing) -> Pixels | str:
    try:
        return _prepared(pictures.read(key), steps)
    except OSError as error:
        return error.strerror or "it cannot be read"


def embed(
    encode: Callable[[list[Pixels]], Vectors], pictures: Collection, steps: Preprocessing, batch: int, threads: int
) -> tuple[list[str], Vectors]:
    """Return the keys that decode, and their (n, d) unit vectors in the same order."""
    kept: list[str] = []
    vectors: list[Vectors] = []
    with ThreadPoolExecutor(threads) as pool:
        prepared = ahead(pool, lambda key: _read(pictures, key, steps), pictures.keys, 4 * batch)

        def readable() -> Iterator[Pixels]:
            for key, found in zip(pictures.keys, prepared, strict=True):
                if isinstance(found, str):
                    say(f"left out: {key}: {found}")
                else:
                    kept.append(key)
                    yield found

        ready = readable()
        while part := list(islice(ready, batch)):
            vectors.append(encode(part))
    return kept, np.concatenate(vectors) if vectors else np.empty((0, 0), np.float32)


def load(choice: str | None = None) -> models.Model:
    """Return the encoder's default model, or the one that is chosen as `encoder_settings` has it."""
    try:
        settings = encoder_settings(choice)
        return models.load(settings.model_ids[0], settings)
    except (ModelError, ValueError) as error:
        raise Failed(str(error)) from error


def embed_with(model: models.Model, pictures: Collection, *, visual: bool = False) -> tuple[list[str], Vectors]:
    """Return the keys that decode, and their (n, d) unit vectors by a model, with `visual` the visual ones beside."""
    settings = EncoderSettings()
    batch, threads = settings.max_batch_size, settings.forward_threads
    return embed(partial(model.encode_pixels, visual=visual), pictures, model.preprocessing, batch, threads)


def encode_texts(model: models.Model, texts: Sequence[str]) -> Vectors:
    """Return (n, d) unit vectors, however many texts there are; batches of like length waste little on padding."""
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    batches = [model.encode_texts([texts[place] for place in places]) for places in chunks(order, 32)]
    return np.asarray(np.concatenate(batches)[np.argsort(order)], dtype=np.float32)


def encoder_settings(choice: str | None) -> EncoderSettings:
    """Return the settings for a model's id, or for `name=value,...` over the defaults, such as `runtime=torch`."""
    changes: dict[str, Any] = {"cache_dir": MODELS}
    if choice and re.match(r"^(ENCODER_)?[A-Za-z_]+=", choice):
        for pair in choice.split(","):
            name, _, value = pair.partition("=")
            changes[name.removeprefix("ENCODER_").lower()] = value
    elif choice:
        changes["models"] = choice
    return EncoderSettings(**changes)


def query_of(label: str) -> str:
    """Return what is asked for a folder's name."""
    return label.lower().replace("_", " ")


def class_names() -> list[str]:
    """Return all names of ImageNet's classes, each once."""
    return list(dict.fromkeys(name for _, names, _ in class_texts() for name in names.split(", ")))


def texts(*forms: str, count: int) -> list[str]:
    """Return distinct texts: ImageNet's names in forms such as `a photo of a {}`, these mixed as queries are."""
    named, number = list(enumerate(class_names())), len(forms)
    found = [forms[(place + turn) % number].format(name) for turn in range(number) for place, name in named]
    if len(found) < count:
        raise ValueError(f"only {len(found)} distinct texts")
    return found[:count]
