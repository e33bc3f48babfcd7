"""Normal beliefs about a logit, and what they say of a probability."""

from math import erfc, exp, log, sqrt

# Gauss-Hermite quadrature with 7 nodes (Abramowitz & Stegun 25.4.46): good to 4 digits at the variances that occur.
_NODES = (
    (-2.651961356835233, 0.0009717812450995),
    (-1.673551628767471, 0.0545155828191270),
    (-0.816287882858965, 0.4256072526101278),
    (0.0, 0.8102646175568073),
    (0.816287882858965, 0.4256072526101278),
    (1.673551628767471, 0.0545155828191270),
    (2.651961356835233, 0.0009717812450995),
)
_TOTAL = sum(weight for _, weight in _NODES)


def logistic(x: float) -> float:
    """The probability of a logit, without overflow."""
    if x >= 0:
        return 1.0 / (1.0 + exp(-x))
    e = exp(x)
    return e / (1.0 + e)


def logit(p: float) -> float:
    """The logit of a probability strictly between 0 and 1."""
    return log(p / (1.0 - p))


def probability_sd(mean: float, variance: float) -> float:
    """Standard deviation of logistic(x) for x ~ Normal(mean, variance)."""
    spread = sqrt(2.0 * variance)
    values = [(weight, logistic(mean + spread * node)) for node, weight in _NODES]
    centre = sum(weight * p for weight, p in values) / _TOTAL
    return sqrt(sum(weight * (p - centre) ** 2 for weight, p in values) / _TOTAL)


def share_above(mean: float, variance: float, bound: float) -> float:
    """P(x > bound) for x ~ Normal(mean, variance)."""
    return 0.5 * erfc((bound - mean) / sqrt(2.0 * variance))
