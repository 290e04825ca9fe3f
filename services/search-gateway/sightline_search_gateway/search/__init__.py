"""Searches: what an answer's results are made into, and whether they are what was asked for.

What the package itself exports is for programs beside the gateway, the benchmarks among them. It is imported when it is
first asked for: whoever imports one module of the package does not load the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sightline_search_gateway.search.clustering import silhouette as silhouette
    from sightline_search_gateway.search.relevance import PROBES as PROBES
    from sightline_search_gateway.search.relevance import SEED as SEED
    from sightline_search_gateway.search.relevance import Calibration as Calibration
    from sightline_search_gateway.search.relevance import Relevance as Relevance
    from sightline_search_gateway.search.relevance import assess as assess
    from sightline_search_gateway.search.relevance import calibrate as calibrate
    from sightline_search_gateway.search.result_graph import MAX_CLUSTERED as MAX_CLUSTERED
    from sightline_search_gateway.search.result_graph import build_result_graph as build_result_graph
    from sightline_search_gateway.search.vocabulary import VocabularyEmbeddings as VocabularyEmbeddings
    from sightline_search_gateway.search.vocabulary import read_vocabulary as read_vocabulary

__all__ = [
    "MAX_CLUSTERED",
    "PROBES",
    "SEED",
    "Calibration",
    "Relevance",
    "VocabularyEmbeddings",
    "assess",
    "build_result_graph",
    "calibrate",
    "read_vocabulary",
    "silhouette",
]
_MODULES = {
    "clustering": ("silhouette",),
    "relevance": ("PROBES", "SEED", "Calibration", "Relevance", "assess", "calibrate"),
    "result_graph": ("MAX_CLUSTERED", "build_result_graph"),
    "vocabulary": ("VocabularyEmbeddings", "read_vocabulary"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
