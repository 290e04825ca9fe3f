"""Resolves a model's name to its files: `ARCH/TAG`, `hf-hub:ORG/NAME`, `local-dir:FOLDER`, `path:FILE@ARCH`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import open_clip
import structlog
from huggingface_hub import constants
from open_clip.factory import _find_checkpoint_in_dir
from open_clip.pretrained import download_pretrained, download_pretrained_from_hf, get_pretrained_cfg
from open_clip.transform import PreprocessCfg, merge_preprocess_dict

from sightline_encoder.errors import ModelError

log = structlog.get_logger()

Result = TypeVar("Result")

LOCAL, HUB, PATH = "local-dir:", "hf-hub:", "path:"
SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")


@dataclass(frozen=True)
class ResolvedModel:
    """A resolved model name, with its files.

    Attributes:
        name: What open_clip calls it.
        pretrained: Tag or file for open_clip's loader; None where `name` says it all.
        architecture: open_clip's configuration of the model.
        weights: The file.
        preprocess: open_clip's preprocessing, but for the size.
    """

    name: str
    pretrained: str | None
    architecture: Mapping[str, Any]
    weights: Path
    preprocess: Mapping[str, Any]


def try_cache_first(work: Callable[[], Result]) -> Result:
    """Call `work` with the hub offline, so that it uses the hub's cache; go online only if that fails.

    So a model that was served once starts without a network, and stays the same until its cache is emptied. Otherwise
    every file is looked up on the hub, and without a network each request takes most of a minute.
    """
    was_offline = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        return work()
    except ModelError:
        raise
    except Exception:
        if was_offline:
            raise
        constants.HF_HUB_OFFLINE = False
        return work()
    finally:
        constants.HF_HUB_OFFLINE = was_offline


def resolve(model_id: str) -> ResolvedModel:
    """Return the model that a name resolves to; its weights are downloaded if the cache lacks them.

    Raises:
        ModelError: No such name, or its vectors would be wrong without a warning. Errors of the hub are passed on.
    """
    if model_id.startswith(PATH):
        return _resolve_path(model_id.removeprefix(PATH))
    if model_id.startswith(LOCAL):
        folder = Path(model_id.removeprefix(LOCAL))
        config = folder / "open_clip_config.json"
        if not config.is_file():
            raise ModelError(f"{config} is missing: it takes a folder in open_clip's hub layout")
        weights = _find_checkpoint_in_dir(folder)
        if weights is None:
            raise ModelError(f"{folder} holds no weights (open_clip_model.safetensors or the like)")
        return _from_config(model_id, json.loads(config.read_text("utf-8")), Path(weights))
    if model_id.startswith(HUB):
        name = model_id.removeprefix(HUB)
        config = Path(download_pretrained_from_hf(name, filename="open_clip_config.json"))
        return _from_config(model_id, json.loads(config.read_text("utf-8")), Path(download_pretrained_from_hf(name)))
    architecture, slash, tag = model_id.partition("/")
    if not slash or not tag:
        raise ModelError("no such kind of name; it takes ARCH/TAG, hf-hub:ORG/NAME, local-dir:FOLDER, path:FILE@ARCH")
    found = get_pretrained_cfg(architecture, tag)
    if not found:
        tags = open_clip.list_pretrained_tags_by_model(architecture)
        raise ModelError(
            f"open_clip knows no tag {tag!r} of {architecture}; it knows: {', '.join(tags)}"
            if tags
            else f"open_clip knows no architecture {architecture!r} with published weights"
        )
    model = _architecture(architecture)
    if found.get("quick_gelu") is not None and bool(found["quick_gelu"]) != bool(model.get("quick_gelu")):
        # open_clip only warns, and then computes with another activation than the weights were trained with.
        model = model | {"quick_gelu": bool(found["quick_gelu"])}
    preprocess = merge_preprocess_dict(PreprocessCfg(), found)
    return ResolvedModel(architecture, tag, model, Path(download_pretrained(found)), preprocess)


def _resolve_path(rest: str) -> ResolvedModel:
    file, at, architecture = rest.rpartition("@")
    if not at or not file or not architecture:
        raise ModelError("it takes path:FILE@ARCH, as in path:/models/my.safetensors@ViT-B-32")
    weights = Path(file)
    if not weights.is_file():
        raise ModelError(f"there is no file {weights}")
    if weights.suffix not in SUFFIXES:
        raise ModelError(f"{weights.name} does not end in {', '.join(SUFFIXES)}")
    model = _architecture(architecture)
    advice = (
        "weights alone do not say how to prepare pictures and texts for it: save the model in open_clip's hub layout"
        " (open_clip.push_to_hf_hub.save_for_hf) and name the folder as local-dir:FOLDER"
    )
    text = model["text_cfg"]
    if (
        text.get("hf_tokenizer_name")
        or text.get("hf_model_name")
        or text.get("tokenizer_kwargs")
        or ("siglip" in architecture.lower())
    ):
        raise ModelError(f"{architecture} has a tokenizer of its own, and {advice}")
    published = {
        tag: merge_preprocess_dict(PreprocessCfg(), get_pretrained_cfg(architecture, tag))
        for tag in open_clip.list_pretrained_tags_by_model(architecture)
    }
    different = [tag for tag, steps in published.items() if not _is_like_openai(steps)]
    if published and len(different) == len(published):
        raise ModelError(f"{architecture} prepares pictures otherwise than OpenAI's CLIP, and {advice}")
    if different:
        log.warning(
            "some weights published for this architecture want other preprocessing than is used here",
            architecture=architecture,
            tags=different,
        )
    return ResolvedModel(architecture, str(weights), model, weights, asdict(PreprocessCfg()))


def _from_config(model_id: str, config: Mapping[str, Any], weights: Path) -> ResolvedModel:
    if "model_cfg" not in config:
        raise ModelError("its open_clip_config.json has no model_cfg")
    preprocess = merge_preprocess_dict(PreprocessCfg(), config.get("preprocess_cfg", {}))
    return ResolvedModel(model_id, None, config["model_cfg"], weights, preprocess)


def _architecture(name: str) -> dict[str, Any]:
    config: dict[str, Any] | None = open_clip.get_model_config(name)
    if config is None:
        raise ModelError(f"open_clip knows no architecture {name!r}")
    return config


def _is_like_openai(steps: Mapping[str, Any]) -> bool:
    plain = asdict(PreprocessCfg())
    return all(
        list(steps[key]) == list(plain[key]) if key in ("mean", "std") else steps[key] == plain[key]
        for key in ("mean", "std", "interpolation", "resize_mode")
    )
