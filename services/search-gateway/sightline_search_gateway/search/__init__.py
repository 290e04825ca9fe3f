"""Searches: what an answer's results are made into, and whether they are what was asked for.

What the package itself exports is for programs beside the gateway, the benchmarks among them. It is imported when it is
first asked for: whoever imports one module of the package does not load the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sightline_search_gateway.arrangement import MOST_ARRANGED as MOST_ARRANGED
    from sightline_search_gateway.arrangement import arrange as arrange
    from sightline_search_gateway.relevance import PROBES as PROBES
    from sightline_search_gateway.relevance import SEED as SEED
    from sightline_search_gateway.relevance import Relevance as Relevance
    from sightline_search_gateway.relevance import Scale as Scale
    from sightline_search_gateway.relevance import judge as judge
    from sightline_search_gateway.relevance import learn as learn
    from sightline_search_gateway.vocabulary import Words as Words
    from sightline_search_gateway.vocabulary import read_vocabulary as read_vocabulary

_MODULES = {
    "sightline_search_gateway.arrangement": ("MOST_ARRANGED", "arrange"),
    "sightline_search_gateway.relevance": ("PROBES", "SEED", "Relevance", "Scale", "judge", "learn"),
    "sightline_search_gateway.vocabulary": ("Words", "read_vocabulary"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
