"""Every model that open_clip can name: `ARCH/TAG`, `hf-hub:ORG/NAME`, `local-dir:FOLDER`, `path:FILE@ARCH`."""

from __future__ import annotations

import hashlib
import json
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import open_clip
from numpy.typing import NDArray
from open_clip.transform import PreprocessCfg
from sightline_pictures import Preprocessing

from sightline_encoder.errors import ModelError
from sightline_encoder.models import files
from sightline_encoder.models.openclip_resolver import ResolvedModel, resolve, try_cache_first
from sightline_encoder.models.source import ModelSource, fingerprint, synthetic_pictures
from sightline_encoder.runtimes.tower import BATCH, Axis, TowerSource

if TYPE_CHECKING:
    import torch

PROBES = (
    "a photo of a cat",
    "Two dogs, running on the beach at sunset!",
    "ÄÖÜ ñ 東京タワー кошка 🙂 &amp; naïve café",
    "  spaces\tand\nlines  ",
    "HTTP://EXAMPLE.com/?q=1234567890",
    "<start_of_text> <|endoftext|> [CLS] </s>",
    "word " * 300,
    "",
)
"""Texts whose tokens distinguish tokenizers; precisions are compared with them, too."""


def describe(model_id: str, cache: Path, visual_model: str | None = None) -> ModelSource:
    """Return the model's source; its weights are read once to hash them, and loaded when they are needed.

    Args:
        model_id: As in ENCODER_MODELS.
        cache: The folder for what is known of files.
        visual_model: A timm model that gives visual vectors beside, as `visual.load` takes it.

    Raises:
        ModelError: No such model, its hub does not give it, or its vectors would be wrong without a warning.
    """
    try:
        resolved, tokenizer = try_cache_first(lambda: _resolve_with_tokenizer(model_id))
        cfg = PreprocessCfg(
            **{**resolved.preprocess, "size": resolved.architecture["vision_cfg"].get("image_size", 224)}
        )
    except ModelError as error:
        raise ModelError(f"model {model_id!r}: {error}") from error
    except Exception as error:
        raise ModelError(f"model {model_id!r}: {_one_line(error)}") from error
    preprocessing = _preprocessing(model_id, cfg)
    context_length = int(resolved.architecture["text_cfg"].get("context_length", 77))

    shortens = reads_left_to_right(resolved.architecture)

    # Hugging Face's tokenizers may refuse ("already borrowed") to be called from two threads at a time.
    lock = threading.Lock()

    def all_tokens(texts: Sequence[str]) -> NDArray[np.int64]:
        with lock:
            return np.asarray(tokenizer(list(texts), context_length=context_length).numpy(), dtype=np.int64)

    def tokenize(texts: Sequence[str]) -> tuple[NDArray[Any], ...]:
        ids = all_tokens(texts)
        if shortens:
            # Without the columns that are padding in every row.
            ids = ids[:, : int(np.flatnonzero(ids.any(axis=0)).max(initial=1)) + 1]
        return (ids,)

    probes = all_tokens(PROBES)
    digest = fingerprint(
        {
            "recipe": "open_clip-1",
            "architecture": resolved.architecture,
            "weights": files.cached_sha256(resolved.weights, cache / "weights.json"),
            "tokenizer": hashlib.sha256(probes.tobytes()).hexdigest(),
            "vocabulary": _vocabulary(tokenizer),
            "preprocessing": asdict(preprocessing) | {"mean": list(cfg.mean), "std": list(cfg.std)},
        }
    )

    @lru_cache(maxsize=1)
    def build() -> torch.nn.Module:
        return _load(model_id, resolved)

    def image() -> torch.nn.Module:
        from sightline_encoder.models.openclip_torch import ClipImage

        return ClipImage(build(), cfg.mean, cfg.std)

    def text() -> torch.nn.Module:
        from sightline_encoder.models.openclip_torch import ClipText

        return ClipText(build(), shortens=shortens)

    axes = {0: BATCH, 1: Axis("length", context_length)} if shortens else {0: BATCH}
    dimensions = int(resolved.architecture["embed_dim"])
    pixels = synthetic_pictures(preprocessing.crop_height, preprocessing.crop_width)
    plain = ModelSource(
        id=model_id,
        fingerprint=digest,
        dimensions=dimensions,
        context_length=context_length,
        preprocessing=preprocessing,
        tokenize=tokenize,
        image=TowerSource("image", image, (pixels,), {"pixels": {0: BATCH}}, digest, (dimensions,)),
        text=TowerSource("text", text, (probes,), {"ids": axes}, digest, (dimensions,)),
        weights_bytes=resolved.weights.stat().st_size,
    )
    return plain if visual_model is None else _with_visual(plain, visual_model)


def _with_visual(plain: ModelSource, visual_model: str) -> ModelSource:
    """Return a model that gives visual vectors, too; collections that were made without them live by the plain one."""
    from sightline_encoder.models import visual

    try:
        steps = plain.preprocessing
        network, digest = visual.load(visual_model, (steps.crop_height, steps.crop_width))
    except Exception as error:
        raise ModelError(f"ENCODER_VISUAL_MODEL={visual_model}: {_one_line(error)}") from error

    def image() -> torch.nn.Module:
        return visual.SideBySide(plain.image.build(), network)

    combined = fingerprint({"plain": plain.fingerprint, "visual": digest})
    widths = (plain.dimensions, network.dimensions)
    shared = replace(plain, image=replace(plain.image, build=image, fingerprint=combined, widths=widths))
    return replace(
        shared,
        fingerprint=combined,
        visual_dimensions=network.dimensions,
        weights_bytes=plain.weights_bytes + sum(one.numel() * one.element_size() for one in network.parameters()),
        before=replace(shared, id=f"{plain.id} without {visual_model}"),
    )


def _resolve_with_tokenizer(model_id: str) -> tuple[ResolvedModel, Any]:
    resolved = resolve(model_id)
    return resolved, open_clip.get_tokenizer(resolved.name)


def reads_left_to_right(architecture: Mapping[str, Any]) -> bool:
    """Return whether a text's vector does not depend on how much padding follows it.

    It does not in OpenAI's architecture: no token attends to a later one, and the vector is read at the end of the
    text. Such a model need not compute its whole context of 77 tokens for three words.
    """
    text = architecture["text_cfg"]
    special = (
        architecture.get("custom_text")
        or "multimodal_cfg" in architecture
        or text.get("hf_model_name")
        or text.get("hf_tokenizer_name")
        or text.get("no_causal_mask")
        or text.get("embed_cls")
    )
    return not special and text.get("pool_type", "argmax") == "argmax"


def _preprocessing(model_id: str, cfg: PreprocessCfg) -> Preprocessing:
    """Return open_clip's evaluation transform as the contract's steps."""
    height, width = (cfg.size, cfg.size) if isinstance(cfg.size, int) else (int(cfg.size[0]), int(cfg.size[-1]))
    if height != width and cfg.resize_mode != "squash":
        raise ModelError(
            f"model {model_id!r}: resizes to {width} x {height} by its {cfg.resize_mode} side, which is not supported"
        )
    fill = cfg.fill_color if isinstance(cfg.fill_color, int) else 0
    return Preprocessing(
        resize_mode=cfg.resize_mode,
        resize_size=max(height, width),
        crop_width=width,
        crop_height=height,
        # open_clip's transform knows these two.
        interpolation="bilinear" if cfg.interpolation == "bilinear" else "bicubic",
        fill_color=(fill, fill, fill),
    )


def _vocabulary(tokenizer: Any) -> str:
    """Return a hash of a tokenizer's words and their numbers, for open_clip's own and for Hugging Face's alike."""
    words = tokenizer.encoder if hasattr(tokenizer, "encoder") else tokenizer.tokenizer.get_vocab()
    return hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()


def _load(model_id: str, resolved: ResolvedModel) -> torch.nn.Module:
    """Return open_clip's model in float32 on the CPU."""
    extra: dict[str, Any] = {}
    if "quick_gelu" in resolved.architecture and resolved.pretrained is not None:
        extra["quick_gelu"] = resolved.architecture["quick_gelu"]
    create: Callable[..., Any] = open_clip.create_model
    try:
        with warnings.catch_warnings():
            # `extra` sets the activation that the weights were trained with.
            warnings.filterwarnings("ignore", message="QuickGELU mismatch")
            model = try_cache_first(
                lambda: create(resolved.name, resolved.pretrained, require_pretrained=True, weights_only=True, **extra)
            )
    except Exception as error:
        raise ModelError(f"model {model_id!r}: the weights do not load: {_one_line(error)}") from error
    module: torch.nn.Module = model.eval().requires_grad_(False)
    return module


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:400] or type(error).__name__
