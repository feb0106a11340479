"""Shares with Wilson intervals, means and correlations with bootstrap intervals (95 %), as entries of metrics.json."""

import math
import random
import statistics

Z = 1.959963984540054


def proportion(count, n):
    """A share with its Wilson interval."""
    if n == 0:
        return {"count": 0, "n": 0, "share": None, "interval": None}
    share = count / n
    centre = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return {"count": count, "n": n, "share": share, "interval": [max(0.0, centre - half), min(1.0, centre + half)]}


def bootstrap(items, statistic, draws=1000):
    """`statistic` of `items`, with the interval of its values on resampled items."""
    if len(items) < 2:
        return {"n": len(items), "value": None, "interval": None}
    rng = random.Random(2)
    values = sorted(statistic(rng.choices(items, k=len(items))) for _ in range(draws))
    return {"n": len(items), "value": statistic(items),
            "interval": [values[int(0.025 * draws)], values[int(0.975 * draws) - 1]]}


def mean(values):
    return bootstrap(values, statistics.fmean)


def correlation(pairs):
    return bootstrap(pairs, lambda drawn: statistics.correlation(*zip(*drawn)))
