"""Settings, one small class per concern, each read from the environment with the prefix `TRELLIS_`.

`docs/settings.md` is written from these classes: `description` is the meaning, `danger` what a wrong value does.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic.config import JsonDict
from pydantic_settings import BaseSettings, SettingsConfigDict


def danger(text: str) -> JsonDict:
    """What a wrong value does, for whoever sets it."""
    return {"danger": text}


class _Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="TRELLIS_", frozen=True, extra="ignore")


class MongoSettings(_Settings):
    mongodb_url: SecretStr = Field(
        SecretStr("mongodb://127.0.0.1:27017/?replicaSet=rs0"),
        description="MongoDB connection string; a replica set",
        json_schema_extra=danger("A secret. Without a replica set there are no transactions and no service works."),
    )
    namespace: str = Field(
        "",
        pattern=r"^[a-z0-9._-]{0,40}$",
        description="Prefix of database, topic and group names on shared clusters",
        json_schema_extra=danger("Another value later is another, empty installation."),
    )


class KafkaSettings(_Settings):
    kafka_bootstrap: str = Field(
        "127.0.0.1:9092",
        description="Kafka bootstrap servers, host:port separated by commas",
        json_schema_extra=danger("Without a user the connection is not encrypted: keep it inside the cluster."),
    )
    kafka_user: str = Field(
        "",
        description="This service's own user: SASL_SSL with SCRAM-SHA-512; empty: no authentication, no encryption",
        json_schema_extra=danger("One user for all services: then one that is broken into may read every topic."),
    )
    kafka_password: SecretStr = Field(
        SecretStr(""),
        description="Its password",
        json_schema_extra=danger("A secret."),
    )
    kafka_ca_file: str = Field(
        "",
        description="File with the certificates of whoever signs the brokers'; empty: those that the system trusts",
        json_schema_extra=danger("Whoever holds one of these keys can pass for a broker."),
    )
    kafka_replication: int = Field(
        1,
        ge=1,
        description="Replication factor of topics that `init` creates",
        json_schema_extra=danger("With 1 a broker's disk that is lost takes messages with it; 3 beyond one machine."),
    )
    topic_partitions: int = Field(
        12,
        ge=1,
        le=1000,
        description="Partitions of every topic that `init` creates: the most replicas of a worker that share the load",
        json_schema_extra=danger(
            "Choose it before the first `init`, the same for all processes: where the broker's number differs, "
            "workers stop with one line."
        ),
    )


class HttpSettings(_Settings):
    host: str = Field(
        "127.0.0.1",
        description="Address to listen on",
        json_schema_extra=danger("0.0.0.0 answers whoever reaches the machine; TLS is up to what stands before it."),
    )
    port: int = Field(
        8000,
        description="Port to listen on; workers serve their health there",
        json_schema_extra=danger("None."),
    )
    body_limit_bytes: int = Field(
        8 * 1024 * 1024,
        ge=1024,
        description="Largest request body; 413 beyond it",
        json_schema_extra=danger("A body is held in memory; beyond 8 MiB a statement may not fit into a Kafka record."),
    )


class ClaimRule(BaseModel):
    """Which claim of a tenant's tokens says who a learner is. With `home_page` it is the name of an xAPI account there,
    else a mail address, which counts where `email_verified` is true.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim: str = Field(min_length=1, max_length=200)
    home_page: str | None = None


class AuthSettings(_Settings):
    oidc_jwks_url: str = Field(
        "",
        description="Where the issuer's keys are: https:// or file://",
        json_schema_extra=danger(
            "Whoever holds a key of that list can be anyone. Empty: every bearer token meets 503."
        ),
    )
    oidc_issuer: str = Field(
        "https://trellis.invalid/issuer",
        description="The `iss` that tokens must carry",
        json_schema_extra=danger("Wrong: every bearer token meets 401."),
    )
    oidc_audience: str = Field(
        "trellis",
        description="The `aud` that tokens must carry",
        json_schema_extra=danger("Shared with other applications of the issuer, their tokens are good here too."),
    )
    oidc_learner_claims: dict[str, ClaimRule] = Field(
        {},
        description="Tenant → the claim behind `/learners/me` where tokens carry no `learner`, as JSON: "
        '`{"north": {"claim": "sub", "home_page": "https://lms.example"}, "south": {"claim": "email"}}`',
        json_schema_extra=danger("A claim that people may set themselves lets anyone be anyone."),
    )


class PeerSettings(_Settings):
    service_token: SecretStr = Field(
        SecretStr(""),
        description="Bearer token with which this service calls others: role `service`, its name as the claim "
        "`service`, the tenant `*` (or a single one)",
        json_schema_extra=danger(
            "A secret. Empty or expired: learners who are new to a service meet 503, workers wait, rosters cannot be "
            "imported, access requests and closings wait. Another service's: 403."
        ),
    )
    privacy_url: str = Field(
        "http://127.0.0.1:8004",
        description="Where privacy answers (`/keys`)",
        json_schema_extra=danger("The service token goes there. Wrong: learners who are new to a service must wait."),
    )
    ingest_url: str = Field(
        "http://127.0.0.1:8001",
        description="Where ingest answers (`/identities`, `/subjects`)",
        json_schema_extra=danger("The service token goes there."),
    )
    learner_profile_url: str = Field(
        "http://127.0.0.1:8002",
        description="Where learner_profile answers (`/subjects`)",
        json_schema_extra=danger("The service token goes there."),
    )
    recommendation_url: str = Field(
        "http://127.0.0.1:8003",
        description="Where recommendation answers (`/subjects`)",
        json_schema_extra=danger("The service token goes there."),
    )
    insights_url: str = Field(
        "http://127.0.0.1:8005",
        description="Where insights answers (`/subjects`)",
        json_schema_extra=danger("The service token goes there."),
    )


class AuditSettings(_Settings):
    audit_pseudonym_key: SecretStr = Field(
        SecretStr(""),
        description="Key under which a caller's `sub` becomes the pseudonym in the audit; the same for all services",
        json_schema_extra=danger(
            "A secret. Empty: whoever reads the audit can try names until one fits. Changed: whoever was one is two."
        ),
    )


class KeySettings(_Settings):
    """Where the bucket keys are, and how a service holds those it uses."""

    key_provider: Literal["file", "vault", "none"] = Field(
        "file",
        description="Who holds the bucket keys: `file` (one machine), `vault`; `none`: everything lies in the clear",
        json_schema_extra=danger(
            "With `none` an erasure is a deletion alone: the oplog, backups and log segments keep what was there."
        ),
    )
    key_file: str = Field(
        "",
        description="File of the bucket keys; the processes of one machine share it",
        json_schema_extra=danger(
            "A secret. Lost, everything sealed is lost. A copy of it, kept beyond an erasure, undoes the erasure."
        ),
    )
    vault_url: str = Field(
        "",
        description="Address of HashiCorp Vault or OpenBao",
        json_schema_extra=danger("With http:// whoever is on the way reads the data keys."),
    )
    vault_mount: str = Field(
        "transit",
        description="Where Vault's transit engine is mounted",
        json_schema_extra=danger("Another mount later is another, empty key provider: nothing sealed opens."),
    )
    vault_token: SecretStr = Field(
        SecretStr(""),
        description="Token for Vault, where no file is named",
        json_schema_extra=danger("A secret. Its policy: services decrypt; privacy alone creates, encrypts, deletes."),
    )
    vault_token_file: str = Field(
        "",
        description="File with the token for Vault, read at each call: an agent beside the process renews it",
        json_schema_extra=danger("As above."),
    )
    open_keys: int = Field(
        50_000,
        ge=1000,
        description="Most data keys that a process holds open, about 1 kB each",
        json_schema_extra=danger("Fewer than the learners active at a time: keys are unwrapped again and again."),
    )
    open_key_seconds: float = Field(
        600,
        gt=0,
        description="How long a data key stays open in a process before it is unwrapped anew",
        json_schema_extra=danger(
            "The longer, the longer a process goes on while the key provider is away, and a stolen memory says more."
        ),
    )
    sealing_per_second: int = Field(
        500,
        ge=1,
        le=10_000,
        description="Documents a second that a worker looks at, to seal what lies in the clear from before keys",
        json_schema_extra=danger("Higher: the upgrade is sooner over, and takes more of MongoDB meanwhile."),
    )
    keys_ahead: int = Field(
        1000,
        ge=10,
        le=100_000,
        description="Data keys that ingest draws ahead for each tenant's new learners",
        json_schema_extra=danger("So many new learners can come while privacy is away; whoever comes next meets 503."),
    )


class TelemetrySettings(BaseSettings):
    """OpenTelemetry's own names, without our prefix."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    otel_exporter_otlp_endpoint: str = Field(
        "",
        description="OTLP/HTTP collector; empty: nothing is recorded",
        json_schema_extra=danger("Without it nobody sees lag."),
    )


class ServiceSettings:
    """All concerns of one process, read once at the start."""

    def __init__(self) -> None:
        self.mongo = MongoSettings()
        self.kafka = KafkaSettings()
        self.http = HttpSettings()
        self.auth = AuthSettings()
        self.peers = PeerSettings()
        self.keys = KeySettings()
        self.telemetry = TelemetrySettings()
        self.audit = AuditSettings()
