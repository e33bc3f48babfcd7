"""Settings, one small class per concern, each read from the environment with the prefix `TRELLIS_`."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class _Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="TRELLIS_", frozen=True, extra="ignore")


class MongoSettings(_Settings):
    mongodb_url: SecretStr = Field(
        SecretStr("mongodb://127.0.0.1:27017/?replicaSet=rs0"), description="MongoDB connection string; a replica set"
    )
    namespace: str = Field(
        "", pattern=r"^[a-z0-9._-]{0,40}$", description="Prefix of database, topic and group names on shared clusters"
    )


class KafkaSettings(_Settings):
    kafka_bootstrap: str = Field("127.0.0.1:9092", description="Kafka bootstrap servers, host:port separated by commas")
    kafka_replication: int = Field(1, ge=1, description="Replication factor of topics that `init` creates")


class HttpSettings(_Settings):
    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8000, description="Port to listen on; workers serve their health there")
    body_limit_bytes: int = Field(8 * 1024 * 1024, ge=1024, description="Largest request body; 413 beyond it")


class AuthSettings(_Settings):
    oidc_jwks_url: str = Field("", description="Where the issuer's keys are: https:// or file://")
    oidc_issuer: str = Field("https://trellis.invalid/issuer", description="The `iss` that tokens must carry")
    oidc_audience: str = Field("trellis", description="The `aud` that tokens must carry")


class PeerSettings(_Settings):
    service_token: SecretStr = Field(
        SecretStr(""), description="Bearer token (role service) for calls to other services"
    )
    ingest_url: str = Field("http://127.0.0.1:8001", description="Where ingest answers (`/identities`)")


class TelemetrySettings(BaseSettings):
    """OpenTelemetry's own names, without our prefix."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    otel_exporter_otlp_endpoint: str = Field("", description="OTLP/HTTP collector; empty: nothing is recorded")


class ServiceSettings:
    """All concerns of one process, read once at the start."""

    def __init__(self) -> None:
        self.mongo = MongoSettings()
        self.kafka = KafkaSettings()
        self.http = HttpSettings()
        self.auth = AuthSettings()
        self.peers = PeerSettings()
        self.telemetry = TelemetrySettings()
