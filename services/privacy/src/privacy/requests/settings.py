"""Settings of requests: waiting, escalation, archives, certificates."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from service_kit.settings import danger


class RequestSettings(BaseSettings):
    """How long privacy waits for the other services, and how long what it made for a learner lies there."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_", frozen=True, extra="ignore")

    erasure_resend_seconds: float = Field(
        30,
        gt=0,
        description="A request without all its receipts is sent again after this, then after twice that, …",
        json_schema_extra=danger("Too small: requests pile up on the topic while a service is away."),
    )
    request_escalation_seconds: float = Field(
        3600,
        gt=0,
        description="A request on which a service stays silent for this long is escalated: metric, log, and its view",
        json_schema_extra=danger("Longer than a working day hides a silent service until the law's deadline."),
    )
    archive_days: float = Field(
        7,
        gt=0,
        le=90,
        description="How long the answer to an access request lies there to be fetched; then it is deleted",
        json_schema_extra=danger("Long: a second copy of everything on a learner, sealed, lies about."),
    )
    archive_link_minutes: float = Field(
        60,
        gt=0,
        le=7 * 24 * 60,
        description="How long a link to such an answer is good, once",
        json_schema_extra=danger("Long: a link in a browser's history is worth something."),
    )
    backup_days: float = Field(
        35,
        ge=0,
        description="After how many days the key provider's own backups are gone: stated on certificates of erasure",
        json_schema_extra=danger("It states and deletes nothing: shorter than the truth, certificates lie."),
    )
