"""Counts of images by what filters go by."""

from __future__ import annotations

from typing import Annotated, TypedDict

from marshmallow import fields, validate
from sightline_catalogue import FACETS, Facet

from sightline_search_gateway.schemas.fields import BoundedList
from sightline_search_gateway.schemas.filters import Filters

MOST_VALUES = 100


class FacetQuery(Filters):
    """Which counts, of which pictures."""

    field = BoundedList(
        fields.String(validate=validate.OneOf(FACETS)),
        most=len(FACETS),
        metadata={"description": "What is counted; repeat it for several. All of them where it is not given."},
    )
    limit = fields.Integer(
        load_default=20,
        validate=validate.Range(1, MOST_VALUES),
        metadata={"description": "How many values of each field at most, the most frequent."},
    )


class FacetValue(TypedDict):
    """A value, and how many pictures have it."""

    value: Annotated[
        str, "As the filter of the same name takes it; of `rating`, exactly so many stars; of `year`, four digits."
    ]
    count: int


class FieldCounts(TypedDict):
    """The values of one field, the most frequent first; years and stars from the highest on."""

    field: Facet
    values: list[FacetValue]


class Facets(TypedDict):
    """Counts of the indexed pictures that the filters let through, copies among them."""

    facets: Annotated[list[FieldCounts], "In the order in which they were asked for."]
