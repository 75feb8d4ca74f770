"""Kilometres between two units in a straight line: the geodesic on the WGS 84 ellipsoid."""

from __future__ import annotations

import math

from mailbot.catalogue.units import Unit

_EQUATOR_KM = 6378.137
_FLATTENING = 1 / 298.257223563


def straight_km(one: Unit, other: Unit) -> float:
    """The length of the geodesic by Lambert's formula for long lines, right to some ten metres over a state.

    Where the ellipsoid hardly matters (points that nearly are one) it is zero.
    """
    first, second = (_reduced_latitude(unit.latitude) for unit in (one, other))
    angle = _central_angle(first, second, math.radians(other.longitude - one.longitude))
    if angle < 1e-12:
        return 0.0
    middle, half = (first + second) / 2, (second - first) / 2
    sine, cosine = math.sin(angle / 2) ** 2, math.cos(angle / 2) ** 2
    if cosine < 1e-12:
        # Opposite ends of the earth: half a circle.
        return math.pi * _EQUATOR_KM
    x = (angle - math.sin(angle)) * (math.sin(middle) * math.cos(half)) ** 2 / cosine
    y = (angle + math.sin(angle)) * (math.cos(middle) * math.sin(half)) ** 2 / sine
    return _EQUATOR_KM * (angle - _FLATTENING / 2 * (x + y))


def _reduced_latitude(degrees: float) -> float:
    # At the poles the tangent has no value, and none is needed.
    if abs(degrees) == 90:
        return math.radians(degrees)
    return math.atan((1 - _FLATTENING) * math.tan(math.radians(degrees)))


def _central_angle(first: float, second: float, difference: float) -> float:
    haversine = (
        math.sin((second - first) / 2) ** 2 + math.cos(first) * math.cos(second) * math.sin(difference / 2) ** 2
    )
    return 2 * math.asin(math.sqrt(min(1.0, haversine)))
