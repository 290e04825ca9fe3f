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
from sightline_search_gateway.search.calibration import calibrate
from sightline_search_gateway.search.judging import FirstLook
from sightline_search_gateway.search.relevance import (
    LIKELY,
    PICTURE,
    POSSIBLE,
    TEXT,
    Calibration,
    Coefficients,
    FirstResults,
    Relevance,
    falling,
    named,
    picture_features,
    relevance_of,
    text_features,
)
from sightline_search_gateway.search.reranking import rerank
from sightline_search_gateway.search.result_graph import MAX_CLUSTERED, build_result_graph
from sightline_search_gateway.search.unwanted import FOUND, Unwanted, unwanted_by_text
from sightline_search_gateway.search.vocabulary import VocabularyEmbeddings, read_vocabulary
from sightline_search_gateway.search.wishes import Wishes

__all__ = [
    "FEWEST",
    "FOUND",
    "ITERATIONS",
    "LIKELY",
    "MAX_CLUSTERED",
    "NEIGHBOURS",
    "PICTURE",
    "POSSIBLE",
    "TEXT",
    "Calibration",
    "Coefficients",
    "Coordinates",
    "FirstLook",
    "FirstResults",
    "Relevance",
    "Separation",
    "Unwanted",
    "VocabularyEmbeddings",
    "Wishes",
    "build_result_graph",
    "calibrate",
    "centred",
    "falling",
    "fit",
    "fitting_perplexity",
    "initial_coordinates",
    "label_separation",
    "named",
    "nearest_neighbours",
    "number_labels",
    "picture_features",
    "read_vocabulary",
    "relevance_of",
    "rerank",
    "scale_of",
    "text_features",
    "unwanted_by_text",
]
