"""Models, loaded by id."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from sightline_encoder.errors import ConversionFailed, ModelError
from sightline_encoder.models.memory_check import warn_if_short
from sightline_encoder.models.model import Model
from sightline_encoder.models.source import RERANKING, ModelSource

if TYPE_CHECKING:
    from sightline_encoder.runtimes.tower import Runtime
    from sightline_encoder.settings import EncoderSettings

log = structlog.get_logger()

INSTALL_TORCH = (
    "`make demo MODEL=ARCH/TAG` installs it, and of the containers' images sightline/encoder has it (leave out"
    " deploy/edge.yml and deploy/embedded.yml)"
)

__all__ = ["Model", "ModelSource", "describe", "load", "note_ready", "was_ready"]


def describe(model_id: str, settings: EncoderSettings) -> ModelSource:
    """Return a model's source, without loading its weights where that can be avoided.

    Raises:
        ModelError: No such model, or its files are missing or wrong.
    """
    source = _describe(model_id, settings)
    if settings.rerank == "auto":
        return source
    # Another model's own vectors are alike in another measure: they are left alone.
    is_chosen = settings.rerank == "true" and source.visual_dimensions > 0
    return replace(source, reranking=RERANKING if is_chosen else None)


def _describe(model_id: str, settings: EncoderSettings) -> ModelSource:
    if model_id == "embedded":
        from sightline_encoder.models import embedded

        return embedded.describe(settings.cache_dir)
    if "/" not in model_id and ":" not in model_id:
        raise ModelError(
            f"model {model_id!r}: no such name; it takes embedded, ARCH/TAG (open_clip's), hf-hub:ORG/NAME,"
            " local-dir:FOLDER or path:FILE@ARCH"
        )
    if find_spec("torch") is None:
        raise ModelError(
            f"model {model_id!r} needs PyTorch, which is not installed here: {INSTALL_TORCH}; `embedded` needs none"
        )
    # Imports torch, which takes seconds.
    from sightline_encoder.models import openclip

    return openclip.describe(model_id, settings.cache_dir, settings.visual_model)


def was_ready(model_id: str, settings: EncoderSettings) -> bool:
    """Return whether a model was ready in an earlier start, so that it is likely to be there and converted."""
    return model_id == "embedded" or _mark(model_id, settings).is_file()


def note_ready(model_id: str, settings: EncoderSettings) -> None:
    """Note for later starts that a model is ready."""
    with suppress(OSError):
        _mark(model_id, settings).touch()


def _mark(model_id: str, settings: EncoderSettings) -> Path:
    return settings.cache_dir / f"{hashlib.sha256(model_id.encode()).hexdigest()[:16]}.ready"


def load(
    model_id: str,
    settings: EncoderSettings,
    runtime: Runtime | None = None,
    convert: Callable[[str], None] | None = None,
) -> Model:
    """Load a model; the first time it is converted, which takes up to a minute.

    Args:
        model_id: As in ENCODER_MODELS.
        settings: Name the runtime, the threads and the cache folder.
        runtime: Instead of the one that the settings name.
        convert: Called with the id of a model that is not converted yet, to convert it in another process.

    Raises:
        ModelError: No such model, or its files are missing or wrong.
    """
    from sightline_encoder.runtimes import choose_runtime

    runtime = runtime or choose_runtime(settings)
    try:
        settings.cache_dir.mkdir(parents=True, exist_ok=True)
        source = describe(model_id, settings)
        converts = not all(runtime.is_converted(one, settings.cache_dir) for one in (source.text, source.image))
        if convert is not None:
            if runtime.name == "openvino":
                warn_if_short(model_id, source.weights_bytes, converts=converts)
            if converts:
                convert(model_id)
        return Model.compile(source, runtime, settings.cache_dir)
    except OSError as error:
        raise ModelError(
            f"ENCODER_CACHE_DIR={settings.cache_dir}: {error.strerror or error}; it must be a writable folder"
        ) from error
    except ConversionFailed as error:
        if settings.runtime != "auto":
            raise ConversionFailed(f"model {model_id!r}: {error}") from error
        from sightline_encoder.runtimes.torch_runtime import TorchRuntime

        log.warning("running on torch instead", model=model_id)
        return Model.compile(source, TorchRuntime.from_settings(settings), settings.cache_dir)
