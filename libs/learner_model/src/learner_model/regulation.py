"""Self-regulation: coming back after a failure, and reviewing what is done already.

Two signs of the performance and self-reflection phases of Zimmerman 2002, "Becoming a self-regulated learner: an
overview", Theory Into Practice 41(2):64-70, as far as statements show them. Three counts, whatever the length of
the history.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Final

from learner_model.outcomes import Outcome
from learner_model.parameters import STRENGTH_Z
from learner_model.state import Regulation

REVIEW_AFTER_SECONDS: Final = 86_400
"""Sooner than a day after, it is still the same sitting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegulationView:
    """`return_share`: of failures the share that was taken up again, with its 90 % interval (Wilson).

    None where nothing went wrong.
    """

    failures: int
    returns: int
    return_share: float | None
    low: float | None
    high: float | None
    reviews: int


def regulation_after(
    before: Regulation, last: tuple[Outcome, int] | None, result: Outcome, at: int, *, done: bool
) -> Regulation:
    """With one act more. `last`: how it ended with the same activity before, and when; `done`: it was done already.

    Whoever merely looks at what went wrong has not returned to it yet.
    """
    failed = last is not None and last[0] is Outcome.FAILED
    reviews = done and (last is None or at - last[1] >= REVIEW_AFTER_SECONDS)
    return Regulation(
        before.failures + (result is Outcome.FAILED),
        before.returns + (failed and result is not Outcome.SEEN),
        before.reviews + reviews,
    )


def regulation(state: Regulation) -> RegulationView:
    """As a reader sees it."""
    low, high = _wilson(state.returns, state.failures) if state.failures else (None, None)
    return RegulationView(
        failures=state.failures,
        returns=state.returns,
        return_share=round(state.returns / state.failures, 4) if state.failures else None,
        low=low,
        high=high,
        reviews=state.reviews,
    )


def _wilson(hits: int, of: int) -> tuple[float, float]:
    """Wilson 1927, "Probable inference, the law of succession, and statistical inference", JASA 22:209-212."""
    share, z2 = hits / of, STRENGTH_Z**2
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    margin = STRENGTH_Z * sqrt(share * (1 - share) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return round(max(0.0, middle - margin), 4), round(min(1.0, middle + margin), 4)
