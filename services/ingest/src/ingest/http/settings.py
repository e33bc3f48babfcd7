"""Settings of the xAPI resources' HTTP side."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from service_kit.settings import danger


class XapiSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="TRELLIS_XAPI_", frozen=True, extra="ignore")

    cors_origins: str = Field(
        "*",
        description="Origins whose pages may call /xapi in a browser, separated by commas; `*`: any, empty: none",
        json_schema_extra=danger(
            "`*` lets any page use a credential that it already holds; none is ever sent by itself, since there are "
            "no cookies. A list that lacks an origin silences the content that is served there."
        ),
    )
    statements_limit: int = Field(
        5_000,
        ge=1,
        le=20_000,
        description="Most statements in one POST; 413 beyond it",
        json_schema_extra=danger(
            "A batch is one transaction. Beyond 5,000 it holds locks for seconds; below what an emitter sends at once, "
            "its batches meet 413 until it learns to halve them."
        ),
    )

    @property
    def origins(self) -> list[str]:
        return [origin.strip() for origin in self.cors_origins.split(",") if origin.strip()]
