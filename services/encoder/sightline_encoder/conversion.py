"""Converting a model in a process of its own, so that the one that serves loads neither torch nor the weights."""

from __future__ import annotations

import os
import subprocess
import sys

import structlog

log = structlog.get_logger()


def convert_in_subprocess(model_id: str) -> None:
    """Run `sightline-encoder --prepare` for one model, with this process's environment, until it ends.

    It ends with this process. If it fails, nothing is in the cache afterwards, and whoever needs the model converts it,
    and meets the reason, itself.
    """
    command = [sys.executable, "-m", "sightline_encoder", "--prepare", "--parent", str(os.getpid())]
    done = subprocess.run(command, env={**os.environ, "ENCODER_MODELS": model_id}, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        log.warning("converting in a subprocess failed", model=model_id, status=done.returncode)
