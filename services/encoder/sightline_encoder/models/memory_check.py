"""Says before a model is loaded if there is less memory than it needs: what is ended for want of it says nothing."""

from __future__ import annotations

import structlog
from sightline_service.memory import available_memory

log = structlog.get_logger()

GIB = 2**30
SERVING = (0.9 * GIB, 2.1)
"""What a process takes that serves a model on OpenVINO: so much, and so many times its weights."""
CONVERTING = (1.5 * GIB, 3.1)
"""The most that it takes with its child while that converts one. `make bench-model-memory` measures both."""


def needed_memory(weights_bytes: int, *, converts: bool) -> int:
    """Return about how many bytes of memory a model needs whose weights have so many."""
    base, times = CONVERTING if converts else SERVING
    return round(base + times * weights_bytes)


def warn_if_short(model_id: str, weights_bytes: int, *, converts: bool) -> None:
    """Log a line if a model needs more memory than there is; 0 bytes of weights mean that it is not known."""
    available = available_memory()
    needed = needed_memory(weights_bytes, converts=converts)
    if not weights_bytes or available is None or needed <= available:
        return
    log.warning(
        "this model may need more memory than there is: a container gets more by ENCODER_MEMORY",
        model=model_id,
        needed_gib=round(needed / GIB, 1),
        available_gib=round(available / GIB, 1),
        when="to be converted, at its first start" if converts else "to be served",
    )
