"""Settings of privacy alone."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from service_kit.settings import danger


class ErasureSettings(BaseSettings):
    """How long privacy waits for the other services' receipts."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_", frozen=True, extra="ignore")

    erasure_resend_seconds: float = Field(
        30,
        gt=0,
        description="A request without all its receipts is sent again after this, then after twice that, …",
        json_schema_extra=danger("Too small: requests pile up on the topic while a service is away."),
    )
    erasure_failed_days: float = Field(
        30,
        gt=0,
        description="A request without all its receipts by then is shown as failed (GDPR 12(3): one month)",
        json_schema_extra=danger("Longer than the law's month hides that a deadline was missed."),
    )
