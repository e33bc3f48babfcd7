"""How a tenant leaves."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from service_kit.settings import danger


class ClosingSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="TRELLIS_", frozen=True, extra="ignore")

    closing_wait_days: float = Field(
        30,
        ge=0,
        le=365,
        description="Between a tenant's asking to close and the erasure of its learners; until then it can be undone",
        json_schema_extra=danger("0: nobody can change their mind, and the export must be fetched at once."),
    )
