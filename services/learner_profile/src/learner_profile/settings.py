"""Settings of learner_profile alone."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from service_kit.settings import danger


class EvidenceSettings(BaseSettings):
    """How evidence is taken in."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_", frozen=True, extra="ignore")

    late_evidence_days: float = Field(
        30,
        gt=0,
        le=36_500,
        description="Evidence stored longer than this after its timestamp counts, and is flagged as late",
        json_schema_extra=danger("Too short: all that an offline school sends is flagged. It changes no state."),
    )
