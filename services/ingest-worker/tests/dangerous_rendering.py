"""What a worker's decoders do here: some files end the process, some take as long as a file is there."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from sightline_pictures.rendering import render_index_input


def render_dangerously(folder, data, *args, **kwargs):
    """Do as `render_index_input`; notes in a folder what is decoded, and by a decoder of which process."""
    word = data.rstrip(b"0123456789 ").decode("latin-1")[:6]
    with open(Path(folder) / "decoded", "a") as log:
        log.write(f"{word}\n")
    if data.startswith(b"POISON"):
        os.kill(os.getpid(), signal.SIGKILL)
    if data.startswith(b"SLOW"):
        decoding = Path(folder) / "decoding"
        decoding.write_text(str(os.getppid()))
        while decoding.exists():
            time.sleep(0.02)
        data = data[4:]
    return render_index_input(data, *args, **kwargs)
