"""How fast a service carries out retention rules, beside what people do meanwhile."""

from typing import Final

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from service_kit.settings import danger

PREVIEW_FACTOR: Final = 10
STEPS: Final = 2.0
"""It rests so many times as long as a step took: never more than a third of the time is its own."""
WAITS: Final = 20.0
"""And so many times as long as a write of one small document took, which waits for the same as whoever records."""
LONGEST_SECONDS: Final = 20.0


class RetainingSettings(BaseSettings):
    """How fast a service carries out retention rules."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_", frozen=True, extra="ignore")

    retention_records_per_second: float = Field(
        200,
        gt=0,
        description="Records that a service deletes or rewrites a second for retention rules; it reads ten times that",
        json_schema_extra=danger("High: what people do meanwhile waits for the database. Low: a run takes days."),
    )


def rest(records: float, rate: float, *, took: float, waited: float) -> float:
    """Seconds between two steps. `took`: the step; `waited`: the one small write before it."""
    return min(max(records / rate, STEPS * took, WAITS * waited), LONGEST_SECONDS)
