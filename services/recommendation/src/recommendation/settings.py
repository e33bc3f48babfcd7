"""Settings of this service alone."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from service_kit.settings import danger


class CatalogSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="TRELLIS_CATALOG_", frozen=True, extra="ignore")

    body_limit_bytes: int = Field(
        64 * 1024 * 1024,
        ge=1024,
        description="Largest catalog import; 413 beyond it",
        json_schema_extra=danger("An import is held in memory while it is checked."),
    )
    line_limit: int = Field(
        50_000,
        ge=1,
        description="Most lines in one catalog import; 413 beyond it",
        json_schema_extra=danger("The whole import is checked before anything is stored, within one request."),
    )
