"""Maps: pictures laid out by t-SNE, so that what is alike lies together.

The web process takes requests and answers (`service`, `store`); the map worker computes (`worker`). Between them is a
queue of jobs (`jobs`). openTSNE is imported by the worker alone.

What the package itself exports is for programs beside the gateway, the benchmarks among them. It is imported when it is
first asked for: whoever imports one module of the package does not load the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sightline_search_gateway.maps.points import centred as centred
    from sightline_search_gateway.maps.points import scale_of as scale_of
    from sightline_search_gateway.maps.request import FEWEST as FEWEST
    from sightline_search_gateway.maps.request import fitting_perplexity as fitting_perplexity
    from sightline_search_gateway.maps.results import Separation as Separation
    from sightline_search_gateway.maps.selection import numbered as numbered
    from sightline_search_gateway.maps.worker.layout import ITERATIONS as ITERATIONS
    from sightline_search_gateway.maps.worker.layout import Coordinates as Coordinates
    from sightline_search_gateway.maps.worker.layout import fit as fit
    from sightline_search_gateway.maps.worker.layout import initial_coordinates as initial_coordinates
    from sightline_search_gateway.maps.worker.layout import transform as transform
    from sightline_search_gateway.maps.worker.neighbours import nearest_neighbours as nearest_neighbours
    from sightline_search_gateway.maps.worker.separation import NEIGHBOURS as NEIGHBOURS
    from sightline_search_gateway.maps.worker.separation import label_separation as label_separation

_MODULES = {
    "sightline_search_gateway.maps.worker.layout": (
        "ITERATIONS",
        "Coordinates",
        "initial_coordinates",
        "fit",
        "transform",
    ),
    "sightline_search_gateway.maps.worker.neighbours": ("nearest_neighbours",),
    "sightline_search_gateway.maps.points": ("centred", "scale_of"),
    "sightline_search_gateway.maps.request": ("FEWEST", "fitting_perplexity"),
    "sightline_search_gateway.maps.results": ("Separation",),
    "sightline_search_gateway.maps.selection": ("numbered",),
    "sightline_search_gateway.maps.worker.separation": ("NEIGHBOURS", "label_separation"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
