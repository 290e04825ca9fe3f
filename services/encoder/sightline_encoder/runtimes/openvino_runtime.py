"""OpenVINO on the CPU: networks in its own operations, or converted from torch and kept; compiled at each start."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import shutil
import sys
import tempfile
import threading
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import structlog
from numpy.typing import NDArray
from sightline_service.atomic_write import atomic_write

from sightline_encoder.errors import ConversionFailed
from sightline_encoder.runtimes.openvino_text_tower import SHORT_LENGTHS, OpenVinoTextTower, infer
from sightline_encoder.runtimes.tower import BATCH, Tower, TowerSource, Vectors, side_by_side

log = structlog.get_logger()


def _import_openvino() -> Any:
    """Import OpenVINO without its telemetry.

    Its import would start a process that reports to Google Analytics without consent. Where the telemetry package
    cannot be imported, OpenVINO works without it.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    return importlib.import_module("openvino")


ov = _import_openvino()

FORMAT = 2
"""The version of the cache's content; to be raised when its meaning changes."""
CONVERTING = ("torch", "timm", "open_clip_torch", "transformers")
"""The libraries, besides OpenVINO, that a converted network depends on."""
BATCH_SIZES = (8, 1)
"""A network of fixed input size is compiled for these: 10 to 20 % faster than one of any batch size, and a batch is
cut into them without padding."""
CHECKED_COSINE = 0.9995
"""The cosine that bfloat16 must reach on the check's inputs for `auto` to choose it: above the promised 0.999, since
pictures vary."""


class OpenVinoRuntime:
    """Compiles for this machine's CPU.

    Args:
        threads: Of one forward pass.
        precision: `f32`, `bf16`, or `auto`: bfloat16 where the processor computes in it and the answers agree with
            float32's.
    """

    name = "openvino"
    device = "cpu"
    jit = False

    def __init__(self, threads: int, precision: Literal["auto", "f32", "bf16"] = "auto") -> None:
        self.threads = threads
        self.precision = precision
        self._core = ov.Core()

    def is_converted(self, source: TowerSource, cache: Path) -> bool:
        """Return whether the tower needs no conversion, or is in the cache folder."""
        return source.network is not None or (_folder(source, cache) / f"{source.name}.xml").is_file()

    def compile(self, source: TowerSource, cache: Path) -> Tower:
        """Return the tower; where it must be converted and the cache folder lacks it, it is converted into that."""
        folder = _folder(source, cache)
        if source.network is not None:
            return self._load(source, folder, source.network())
        path = folder / f"{source.name}.xml"
        if path.is_file():
            try:
                return self._load(source, folder, self._core.read_model(path))
            except RuntimeError as error:
                # Truncated by a full disk, for example: it is converted again.
                log.warning("converted model cannot be read", path=str(path), error=" ".join(str(error).split())[:400])
                path.unlink(missing_ok=True)
        _convert(source, folder)
        return self._load(source, folder, self._core.read_model(path))

    def _load(self, source: TowerSource, folder: Path, model: Any) -> Tower:
        precision = self._choose_precision(source, folder, model)
        fixed = all(list(axes.values()) == [BATCH] for axes in source.inputs.values())
        if not fixed:
            any_size = self._compile(model, precision)
            takes_tokens = all(list(axes) == [0, 1] for axes in source.inputs.values())
            return self._text_tower(model, precision, any_size) if takes_tokens else OpenVinoTower([(0, any_size)])
        compiled = []
        for size in BATCH_SIZES:
            sized = model.clone()
            sized.reshape({port: [size, *port.partial_shape[1:]] for port in sized.inputs})
            compiled.append((size, self._compile(sized, precision)))
        return OpenVinoTower(compiled)

    def _text_tower(self, model: Any, precision: str, any_size: Any) -> Tower:
        short = []
        for length in SHORT_LENGTHS:
            sized = model.clone()
            sized.reshape({port: [1, length] for port in sized.inputs})
            # One thread: a second has too little to do, and on a busy machine costs waiting for it.
            short.append((length, self._compile(sized, precision, threads=1)))
        return OpenVinoTextTower(any_size, short)

    def _choose_precision(self, source: TowerSource, folder: Path, model: Any) -> str:
        """Return the precision to compile with; the result of the check for `auto` is kept in the folder."""
        if self.precision != "auto":
            return self.precision
        if "BF16" not in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            return "f32"
        note = folder / f"{source.name}.bf16.json"
        if not note.is_file():
            exact = OpenVinoTower([(0, self._compile(model, "f32"))])(*source.examples)
            rough = OpenVinoTower([(0, self._compile(model, "bf16"))])(*source.examples)
            pairs = zip(*(side_by_side(rows, source.widths) for rows in (exact, rough)), strict=True)
            cosine = min(float((one * other).sum(axis=1).min()) for one, other in pairs)
            log.info("compared precisions", tower=source.name, bf16_cosine=round(cosine, 5))
            folder.mkdir(parents=True, exist_ok=True)
            atomic_write(note, json.dumps({"lowest_cosine": cosine}))
        return "bf16" if json.loads(note.read_text())["lowest_cosine"] >= CHECKED_COSINE else "f32"

    def _compile(self, model: Any, precision: str, threads: int | None = None) -> Any:
        return self._core.compile_model(
            model,
            "CPU",
            {
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_NUM_THREADS": threads or self.threads,
                "INFERENCE_PRECISION_HINT": precision,
                # Workers and the database share these cores; pinned threads would wait for them.
                "ENABLE_CPU_PINNING": False,
            },
        )


class OpenVinoTower:
    """A network compiled for one or several batch sizes.

    Args:
        compiled: Pairs of a batch size and the network compiled for it, the largest first and the last for 1; or one
            of size 0, for any.
    """

    def __init__(self, compiled: list[tuple[int, Any]]) -> None:
        self._compiled = compiled
        # A request holds its own buffers, so that each thread needs its own.
        self._local = threading.local()

    def __call__(self, *inputs: NDArray[Any]) -> Vectors:
        """Return (n, dimensions) float32 rows."""
        requests = getattr(self._local, "requests", None)
        if requests is None:
            requests = [(size, compiled.create_infer_request()) for size, compiled in self._compiled]
            self._local.requests = requests
        rows = len(inputs[0])
        parts = []
        start = 0
        for size, request in requests:
            step = size or rows
            while rows - start >= step and start < rows:
                parts.append(infer(request, [array[start : start + step] for array in inputs]))
                start += step
        return np.concatenate(parts) if len(parts) > 1 else parts[0]


def export(source: TowerSource) -> Any:
    """Return a tower's module as a torch.export.ExportedProgram, its varying axes dynamic."""
    import torch

    module = source.build().eval()
    dims = {
        axis.name: torch.export.Dim(axis.name, min=1, max=axis.longest)
        for axes in source.inputs.values()
        for axis in axes.values()
    }
    shapes = tuple({index: dims[axis.name] for index, axis in axes.items()} for axes in source.inputs.values())
    examples = tuple(torch.from_numpy(example[:3]) for example in source.examples)
    with torch.no_grad():
        return torch.export.export(module, examples, dynamic_shapes=shapes)


def _convert(source: TowerSource, folder: Path) -> None:
    """Export the module and write it into the folder, whole or not at all."""
    log.info("converting", tower=source.name, to="openvino")
    try:
        model = ov.convert_model(export(source))
    except Exception as error:
        log.warning("conversion failed", tower=source.name, error=" ".join(str(error).split())[-400:])
        raise ConversionFailed(
            f"its {source.name} tower does not convert to OpenVINO (the log says why): set ENCODER_RUNTIME=torch"
        ) from error
    for port, axes, example in zip(model.inputs, source.inputs.values(), source.examples, strict=True):
        port.get_node().set_partial_shape(
            ov.PartialShape([-1 if index in axes else length for index, length in enumerate(example.shape)])
        )
    model.validate_nodes_and_infer_types()
    folder.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix="converting-", dir=folder))
    try:
        ov.save_model(model, temporary / f"{source.name}.xml", compress_to_fp16=False)
        for suffix in (".bin", ".xml"):
            os.replace(temporary / f"{source.name}{suffix}", folder / f"{source.name}{suffix}")
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _folder(source: TowerSource, cache: Path) -> Path:
    """Return the folder for what is kept of a tower: it is that of one model, made with one set of libraries."""
    libraries = (*CONVERTING, "openvino") if source.network is None else ("openvino",)
    return cache / f"openvino-{source.fingerprint[:12]}-{_versions_key(libraries)}"


@lru_cache(maxsize=2)
def _versions_key(libraries: tuple[str, ...]) -> str:
    versions = {name: version(name) for name in libraries}
    return hashlib.sha256(json.dumps([FORMAT, versions], sort_keys=True).encode()).hexdigest()[:12]
