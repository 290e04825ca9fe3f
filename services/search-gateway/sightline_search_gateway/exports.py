"""What the package exports to other programs, the benchmarks among them: searches and maps as functions over arrays.

No service imports this module, which loads what only a map's process needs.
"""

from __future__ import annotations

from sightline_search_gateway.maps.points import centred, scale_of
from sightline_search_gateway.maps.request import FEWEST, fitting_perplexity
from sightline_search_gateway.maps.results import Separation
from sightline_search_gateway.maps.selection import number_labels
from sightline_search_gateway.maps.worker.layout import ITERATIONS, Coordinates, fit, initial_coordinates
from sightline_search_gateway.maps.worker.neighbours import nearest_neighbours
from sightline_search_gateway.maps.worker.separation import NEIGHBOURS, label_separation
from sightline_search_gateway.search.relevance import PROBES, SEED, Calibration, Relevance, assess, calibrate
from sightline_search_gateway.search.reranking import rerank
from sightline_search_gateway.search.result_graph import MAX_CLUSTERED, build_result_graph
from sightline_search_gateway.search.vocabulary import VocabularyEmbeddings, read_vocabulary

__all__ = [
    "FEWEST",
    "ITERATIONS",
    "MAX_CLUSTERED",
    "NEIGHBOURS",
    "PROBES",
    "SEED",
    "Calibration",
    "Coordinates",
    "Relevance",
    "Separation",
    "VocabularyEmbeddings",
    "assess",
    "build_result_graph",
    "calibrate",
    "centred",
    "fit",
    "fitting_perplexity",
    "initial_coordinates",
    "label_separation",
    "nearest_neighbours",
    "number_labels",
    "read_vocabulary",
    "rerank",
    "scale_of",
]
