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


class TrainingSettings(BaseSettings):
    """How the trainer makes versions of the model's parameters."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_", frozen=True, extra="ignore")

    training_interval_hours: float = Field(
        24,
        gt=0,
        le=8_760,
        description="Hours from one version of the model's parameters to the next, per tenant",
        json_schema_extra=danger("Short: a version is kept as long as evidence needs it, and each pass takes a core."),
    )
    training_least_answers: int = Field(
        1_000,
        ge=100,
        description="Answers, and answers more than last time, without which no version is made",
        json_schema_extra=danger("Few: what is learnt of an item may then stem from one or two learners."),
    )
    training_most_answers: int = Field(
        1_000_000,
        ge=1_000,
        description="Answers that a version is made of at most, of learners taken by chance",
        json_schema_extra=danger("Many: the trainer holds 150 bytes of memory for each, and takes a minute a million."),
    )
    parameters_kept_days: int = Field(
        90,
        ge=1,
        le=3_650,
        description="Days for which a version is kept at least after the next one; longer where evidence needs it",
        json_schema_extra=danger("Short: evidence that comes back later, by a replay, is folded with another version."),
    )
