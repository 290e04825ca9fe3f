"""Converts a model in a subprocess, so that the process that serves loads neither torch nor the weights."""

from __future__ import annotations

import os
import subprocess
import sys

import structlog

log = structlog.get_logger()


def convert_in_subprocess(model_id: str) -> None:
    """Run `sightline-encoder --prepare` for one model, with this process's environment, until it ends.

    It ends with this process. If it fails, this process finds no converted model, converts it itself, and gets the
    error.
    """
    command = [sys.executable, "-m", "sightline_encoder", "--prepare", "--parent", str(os.getpid())]
    done = subprocess.run(command, env={**os.environ, "ENCODER_MODELS": model_id}, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        log.warning("converting in a subprocess failed", model=model_id, status=done.returncode)
