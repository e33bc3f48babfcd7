"""Settings of retention rules' runs."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from service_kit.settings import danger


class RetentionSettings(BaseSettings):
    """In which portions a rule runs, and how long a service may take for one."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_", frozen=True, extra="ignore")

    retention_portions: Annotated[Literal[1, 16, 256, 4096], BeforeValidator(int)] = Field(
        16,
        description="In how many portions of a tenant's learners a run is cut",
        json_schema_extra=danger("Few, for many learners: a portion takes hours. Many, for few: each waits for Kafka."),
    )
    retention_portions_at_once: int = Field(
        16,
        ge=1,
        le=256,
        description="How many portions of a run the services have at the same time",
        json_schema_extra=danger("Many: a legal hold on a whole tenant takes effect only when all of them are done."),
    )
    retention_portion_seconds: float = Field(
        3600,
        gt=0,
        description="A run on a portion of which a service is silent for this long is escalated: metric, log, its view",
        json_schema_extra=danger(
            "Below what a portion takes at `TRELLIS_RETENTION_RECORDS_PER_SECOND`: escalated though all is well."
        ),
    )
