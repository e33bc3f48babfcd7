"""Settings of privacy alone."""

from typing import Final

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from service_kit.settings import danger

SIX_MONTHS_DAYS: Final = 183
"""For so long logs of a high-risk system are kept (EU AI Act 26(6))."""


class KeyDestructionSettings(BaseSettings):
    """When the key of an erased learner is destroyed."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_", frozen=True, extra="ignore")

    key_destruction_seconds: float = Field(
        0,
        ge=0,
        description="How long erasures are gathered before their bucket keys are replaced; 0: each at once",
        json_schema_extra=danger("So long after `completed` what was erased could still be opened with the keys."),
    )


class SigningSettings(BaseSettings):
    """What certificates and checkpoints of the audit are signed with."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_", frozen=True, extra="ignore")

    signing_key: SecretStr = Field(
        SecretStr(""),
        description="Ed25519 seed, 32 bytes in base64, that signs certificates and checkpoints of the audit",
        json_schema_extra=danger(
            "A secret. Empty: one is made and kept in the database, and whoever may write there can sign."
        ),
    )
    record_issuer: str = Field(
        "https://trellis.invalid",
        description="Where the world reaches this service: `<it>/issuers/<tenant>` issues learners' records, and "
        "whoever checks one finds the key at `<it>/certificates/keys`",
        json_schema_extra=danger("Changed: records given out before are of an issuer whom nobody finds any more."),
    )


class AuditChainSettings(BaseSettings):
    """How often the audit is signed, and for how long it is kept."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_", frozen=True, extra="ignore")

    audit_checkpoint_minutes: float = Field(
        60,
        gt=0,
        description="A signed checkpoint of the audit at least this often, where entries have come",
        json_schema_extra=danger("Long: what was changed since the last checkpoint may be rewritten unseen."),
    )
    audit_keep_days: float = Field(
        0,
        ge=0,
        description="Entries of the audit older than this are pruned; their checkpoints stay. 0: kept for ever; else "
        "183 at least (EU AI Act 26(6))",
        json_schema_extra=danger("Short: who saw what can no longer be told (34 CFR 99.32: as long as the record)."),
    )

    @field_validator("audit_keep_days")
    @classmethod
    def _six_months_at_least(cls, days: float) -> float:
        if 0 < days < SIX_MONTHS_DAYS:
            raise ValueError(f"0, or {SIX_MONTHS_DAYS} at least")
        return days
