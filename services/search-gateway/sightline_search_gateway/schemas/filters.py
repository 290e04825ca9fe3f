"""Filters of images, which searches, maps and the collection share."""

from __future__ import annotations

from apiflask import Schema

from sightline_search_gateway.schemas.fields import many, wall_moment


class Filters(Schema):
    """Which pictures; different filters must all hold, of one that is repeated any."""

    label = many("The name of the folder that the picture lies in; repeat it for several.")
    folder = many("A folder's path; `a/b/` is `a/b`. What lies in folders below it counts too. Repeat it for several.")
    after = wall_moment("at this moment or later")
    before = wall_moment("before this moment")
