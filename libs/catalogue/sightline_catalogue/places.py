"""Circles and boxes on the earth, and the conditions of Qdrant that they become."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from qdrant_client import grpc as api

PLACE = "place"
"""The field of where an image was taken."""


@dataclass(frozen=True)
class Circle:
    """The places at most so far from one.

    Attributes:
        latitude: Of the centre, in degrees north, WGS 84.
        longitude: Of the centre, in degrees east.
        kilometres: The radius.

    Raises:
        ValueError: There is no such place, or the radius is none.
    """

    latitude: float
    longitude: float
    kilometres: float

    def __post_init__(self) -> None:
        _check_place(self.latitude, self.longitude)
        if not 0 < self.kilometres < inf:
            raise ValueError(f"{self.kilometres} is no radius: it is more than 0 km")


@dataclass(frozen=True)
class Box:
    """The places between two latitudes and two longitudes, all in degrees, WGS 84.

    Attributes:
        south: The least latitude.
        west: The longitude that it begins at, eastwards.
        north: The greatest latitude.
        east: The longitude that it ends at; less than `west` where the box crosses the date line.

    Raises:
        ValueError: There is no such place, or the south is north of the north.
    """

    south: float
    west: float
    north: float
    east: float

    def __post_init__(self) -> None:
        _check_place(self.south, self.west)
        _check_place(self.north, self.east)
        if self.south > self.north:
            raise ValueError(f"a box from {self.south} south to {self.north} north is upside down")


def is_near(circle: Circle) -> api.Condition:
    """Return the condition that an image was taken within a circle."""
    centre = api.GeoPoint(lat=circle.latitude, lon=circle.longitude)
    radius = api.GeoRadius(center=centre, radius=1000 * circle.kilometres)
    return api.Condition(field=api.FieldCondition(key=PLACE, geo_radius=radius))


def is_inside(box: Box) -> api.Condition:
    """Return the condition that an image was taken within a box."""
    # The database knows no box that crosses the date line.
    spans = [(box.west, box.east)] if box.west <= box.east else [(box.west, 180.0), (-180.0, box.east)]
    parts = [
        api.Condition(
            field=api.FieldCondition(
                key=PLACE,
                geo_bounding_box=api.GeoBoundingBox(
                    top_left=api.GeoPoint(lat=box.north, lon=west), bottom_right=api.GeoPoint(lat=box.south, lon=east)
                ),
            )
        )
        for west, east in spans
    ]
    return parts[0] if len(parts) == 1 else api.Condition(filter=api.Filter(should=parts))


def _check_place(latitude: float, longitude: float) -> None:
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ValueError(f"{latitude}, {longitude} is no place: latitudes go from -90 to 90, longitudes to 180")
