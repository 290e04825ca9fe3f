"""Pictures that are there more than once."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from sightline_search_gateway.answer_schemas import schema_of
from sightline_search_gateway.container import current
from sightline_search_gateway.http.openapi import problem_answers
from sightline_search_gateway.http.responses import json_response
from sightline_search_gateway.http.serializers import PREFIX, serialize_groups
from sightline_search_gateway.schemas.duplicates import BrowseDuplicates, DuplicateGroups
from sightline_search_gateway.search.filter_parameters import filter_of

blueprint = APIBlueprint("duplicates", __name__, tag="Images", url_prefix=f"{PREFIX}/duplicates")


@blueprint.get("")
@blueprint.input(BrowseDuplicates, location="query", arg_name="query")
@blueprint.output(schema_of(DuplicateGroups), description="A page of groups.")
@blueprint.doc(operation_id="browseDuplicates", responses=problem_answers(422, 503))
def browse(query: dict[str, Any]) -> Response:
    """Browse the pictures that are there more than once, in groups, that with the newest copy first.

    A group has at least two pictures of those that the filters let through.
    """
    page = current().images.groups(query.get("kind"), query["limit"], query.get("cursor"), filter_of(query))
    return json_response(serialize_groups(page))
