"""Settings of learner_profile alone."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from service_kit.settings import danger


class RecordSettings(BaseSettings):
    """Whose records are taken from elsewhere."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_", frozen=True, extra="ignore")

    record_issuers: dict[str, str] = Field(
        {},
        description="Issuers whose learner records are imported → where their keys are (JWKS), https:// or file://, as "
        'JSON: `{"https://trellis.old.example/issuers/north": "https://trellis.old.example/certificates/keys"}`',
        json_schema_extra=danger("Whoever is named here says what learners did elsewhere."),
    )


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
