"""What the encoder needs of memory by model, with random weights: `make bench-model-memory MODELS=ARCH,ARCH`.

Of each architecture of open_clip a model is made with weights of its size. Then the encoder starts twice, as it does
for a person: at the first start it converts the model, at the second it finds that done; each time it encodes a batch
of pictures and some texts. What counts is the most that its process and its children held together.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil
from sightline.encoder.client import EncoderClient, EncoderError, RawPixels
from sightline_local.stack import free_port

from benchmarks.harness import results
from benchmarks.harness.results import Failed, say
from benchmarks.harness.timing import meanwhile
from benchmarks.memory import MIB, held

MODELS = "ViT-B-32,ViT-L-14,ViT-SO400M-14-SigLIP-384"
START_SECONDS, SAMPLE_SECONDS = 1800.0, 0.1
WRITE = """
import json, sys
from pathlib import Path
import open_clip
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
name, folder = sys.argv[1], Path(sys.argv[2])
config = open_clip.get_model_config(name)
text = config["text_cfg"]
if "hf_tokenizer_name" in text:
    # Its own comes from the hub; the size of the network does not depend on the words.
    words = Tokenizer(models.WordLevel({"<pad>": 0, "</s>": 1, "<unk>": 2}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)
    text["hf_tokenizer_name"] = "own"
model = open_clip.create_model(name, pretrained_text=False)
state = {key: value.contiguous() for key, value in model.state_dict().items()}
save_file(state, folder / "open_clip_model.safetensors")
(folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}))
print(sum(value.numel() for value in model.parameters()))
"""


def write_random(architecture: str, folder: Path) -> int:
    """Write a model of random weights into a folder, as `local-dir:` takes it; return how many parameters it has."""
    command = [sys.executable, "-c", WRITE, architecture, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{architecture}: {done.stderr.strip().splitlines()[-1]}")
    return int(done.stdout.split()[-1])


def start_and_encode(folder: Path, cache: Path) -> dict[str, float]:
    """Start the encoder, encode, stop it; return the seconds until it served, and the MiB held then and at most."""
    port = free_port()
    settings = {
        "ENCODER_MODELS": f"local-dir:{folder}",
        "ENCODER_CACHE_DIR": str(cache),
        "ENCODER_PORT": str(port),
        "ENCODER_METRICS_PORT": "0",
        "ENCODER_DEVICE": "cpu",
        "LOG_LEVEL": "warning",
    }
    began = time.monotonic()
    process = psutil.Popen([sys.executable, "-m", "sightline_encoder"], env={**os.environ, **settings})
    most = 0.0

    def look() -> float:
        nonlocal most
        now = held([process, *process.children(recursive=True)])["pss"] / MIB
        most = max(most, now)
        return now

    try:
        address, looking = f"127.0.0.1:{port}", meanwhile(look, pause_seconds=SAMPLE_SECONDS)
        with looking, EncoderClient(address, timeout_seconds=60) as client:
            steps = _wait(client, process).preprocessing
            seconds, serving = time.monotonic() - began, look()
            pixels = np.zeros((steps.crop_height, steps.crop_width, 3), np.uint8)
            client.encode_images([RawPixels(pixels, preprocessed=True)] * 8, timeout_seconds=600)
            client.encode_texts([f"a picture of {number} things" for number in range(8)], timeout_seconds=600)
    finally:
        process.terminate()
        process.wait()
    return {"seconds": seconds, "serving_mib": serving, "most_mib": most}


def _wait(client: EncoderClient, process: psutil.Popen):  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return client.default_model(timeout_seconds=2)
        except EncoderError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failed("the encoder did not start; what it says is above") from None
            time.sleep(0.2)


def measure(architectures: Sequence[str]) -> tuple[list[list[object]], dict[str, float]]:
    """Measure each architecture; return rows and figures."""
    rows: list[list[object]] = []
    figures: dict[str, float] = {}
    for name in architectures:
        with tempfile.TemporaryDirectory(prefix="sightline-model-") as temporary:
            folder, cache = Path(temporary) / "model", Path(temporary) / "cache"
            folder.mkdir()
            say(f"{name}: writing random weights")
            count = write_random(name, folder)
            say(f"{name}: a first start, then a second")
            first, later = (start_and_encode(folder, cache) for _ in range(2))
        gigabytes = 4 * count / 2**30
        row = [first["seconds"], first["most_mib"], later["seconds"], later["serving_mib"], later["most_mib"]]
        rows.append([name, f"{count / 1e6:.0f} M", gigabytes, *(round(value, 1) for value in row)])
        figures |= {f"{name}_weights_mib": 4 * count / MIB}
        figures |= {f"{name}_first_{key}": value for key, value in first.items()}
        figures |= {f"{name}_later_{key}": value for key, value in later.items()}
    return rows, figures


def main() -> None:
    """Measure, print and write."""
    options = results.options("bench-model-memory", __doc__, models=(str, MODELS))
    rows, figures = measure(options.models.split(","))
    results.show(
        ["model", "parameters", "weights GiB", "first start s", "MiB", "later start s", "MiB serving", "MiB at most"],
        rows,
    )
    results.write("bench-model-memory", settings={"models": options.models}, figures=figures)


if __name__ == "__main__":
    main()
