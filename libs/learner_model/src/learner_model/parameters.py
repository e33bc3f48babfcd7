"""The model's few constants; all else is learnt (see `additive`). They belong to the model's version: change one and
raise `MODEL_VERSION`, so that states are built anew.
"""

MODEL_VERSION = 5

MASTERY_THRESHOLD = 0.8
"""The probability of a right response from which a competency counts as mastered, where a curriculum says no other."""

PRIOR_VARIANCE = 1.5
"""Before any response: an even chance, give or take 24 points."""

SKILL_VARIANCE = 0.1
"""Between the competencies of one learner, in logits squared, where nothing is known of one."""

OPEN_VARIANCE = 0.9
INFORMATION = 0.25
"""What the histories leave open of a competency, in logits squared, over 1 + INFORMATION a response. INFORMATION is the
Fisher information of one response, at its upper bound over all logits (Böhning's bound)."""

DRIFT_PER_DAY = 0.02
"""What a day adds to the variance: things happen that no statement tells of."""

HALF_LIFE_FIRST_DAYS = 5.0
HALF_LIFE_MIN_DAYS = 0.25
HALF_LIFE_MAX_DAYS = 730.0
HALF_LIFE_GROWTH = 2.5
"""A success when all was forgotten multiplies the half-life by 1 + this; one at once, by 1 (the spacing effect)."""
HALF_LIFE_LOSS = 0.7
"""A failure multiplies the half-life by this."""

DIFFICULTY_SPREAD = 4.0
"""Logits between the easiest (0) and the hardest (1) item; 0.5 is the typical one."""

KEPT_BY_TIME = 0.2
"""Of what a competency's own responses told, in logits: so estimates after pauses are without bias (ADR 48)."""

INTEREST_HALF_LIFE_DAYS = 30.0
INTEREST_HALFWAY = 4.0
"""The decayed sum of choices at which an interest shows as 0.5."""
INTERESTS_KEPT = 16

PACE_RECENT = 0.2
PACE_MEMORY = 50

RECENT_KEPT = 24
COMPLETED_KEPT = 128

SUCCESS_FROM = 0.8
FAILURE_BELOW = 0.5
"""A correctness from the first on counts as done, one below the second as not done, whatever was before."""

STRENGTH_MIN_EVIDENCE = 3
STRENGTH_MIN_COMPETENCIES = 3
STRENGTH_Z = 1.645
