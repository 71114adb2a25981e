"""The gamma distribution's distribution function and its inverse, without scipy. Pure.

The web processes never load scipy. Series and continued fraction of the regularised incomplete
gamma function: NIST DLMF 8.11.4 and 8.9.2.
"""

from __future__ import annotations

import math

_EXACT = 1e-14
_MOST_STEPS = 10_000


def cdf(x: float, shape: float) -> float:
    """P(X <= x) of a gamma distribution with rate 1.

    Args:
        x: zero or more.
        shape: above zero.
    """
    if x <= 0:
        return 0.0
    front = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    if x < shape + 1:
        term = total = 1 / shape
        for step in range(1, _MOST_STEPS):
            term *= x / (shape + step)
            total += term
            if term < total * _EXACT:
                break
        return front * total
    return 1.0 - front * _fraction(x, shape)


def _fraction(x: float, shape: float) -> float:
    """Continued fraction of the upper function, by the modified Lentz rule."""
    tiny = 1e-300
    b = x + 1 - shape
    c, d = 1 / tiny, 1 / b
    value = d
    for step in range(1, _MOST_STEPS):
        a = -step * (step - shape)
        b += 2
        d = 1 / (a * d + b or tiny)
        c = b + a / c or tiny
        value *= c * d
        if abs(c * d - 1) < _EXACT:
            break
    return value


def quantile(p: float, shape: float) -> float:
    """The x of which `cdf(x, shape)` is p, to nine digits.

    Args:
        p: between 0 and 1, both excluded.
        shape: above zero.
    """
    low, high = -700.0, math.log(shape + 1)
    while cdf(math.exp(high), shape) < p:
        high += 1
    # for small x the function is x**shape / gamma(shape + 1); elsewhere a rough place to begin
    at = min(high, (math.log(p) + math.lgamma(shape + 1)) / shape)
    for _ in range(200):
        x = math.exp(at)
        off = cdf(x, shape) - p
        low, high = (at, high) if off < 0 else (low, at)
        slope = math.exp(shape * at - x - math.lgamma(shape))
        step = at - off / slope if slope > 0 else low
        after = step if low < step < high else (low + high) / 2
        if abs(after - at) < 1e-10:
            break
        at = after
    return math.exp(after)
