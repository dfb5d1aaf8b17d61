"""The environment, read once: addresses, intervals, limits. KPIs and targets are never here.

Every setting is a variable `KPI_STREAM_<NAME>`. The README's table is made from this class.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from kpi_stream.application.ports import Guarantee
from kpi_stream.domain.errors import InputError

PREFIX = "KPI_STREAM_"


Compression = Literal["gzip", "snappy", "lz4", "zstd"]
SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_SSL"]
SaslMechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256"]
Port = Annotated[int, Field(ge=0, le=65_535)]
Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Days = Annotated[int, Field(ge=1)]


class Settings(BaseSettings):
    """How this process reaches the others, and its limits."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
    )

    brokers: str = "127.0.0.1:9092"
    """Kafka's bootstrap servers, `host:port` separated by commas."""
    security_protocol: SecurityProtocol = "PLAINTEXT"
    """PLAINTEXT, SSL (a client certificate says who we are) or SASL_SSL (a password does)."""
    broker_ca_file: Path | None = None
    """Certificates that the brokers' are checked against, PEM; unset: the usual authorities."""
    broker_certificate_file: Path | None = None
    """Our certificate for the brokers, PEM, with its chain; unset: none is shown."""
    broker_key_file: Path | None = None
    """Its private key, PEM; unset: it is in the certificate's file."""
    broker_key_password_file: Path | None = None
    """File with the password of that key; unset: the key is not encrypted."""
    sasl_mechanism: SaslMechanism = "SCRAM-SHA-512"
    """How the password is proven with SASL_SSL: SCRAM-SHA-512 or SCRAM-SHA-256."""
    sasl_username: str = ""
    """Who we are to the brokers with SASL_SSL."""
    sasl_password_file: Path | None = None
    """File with the password of that user; read when a process starts."""
    strategy: Path | None = None
    """Folder of the strategy's YAML files; unset: the packaged SUNAT strategy."""
    app_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "kpi-stream"
    """Consumer group of the workers, and prefix of the transactional ids."""
    epoch: Count | None = None
    """Epoch of the counts; unset: the one that `kpi-stream rebuild` switched to last, or 1."""
    partitions: Count = 4
    """Partitions of `customs.events`, `kpi.declarations` and `kpi.rows` when they are created."""
    replication_factor: Count = 1
    """Copies of each topic when it is created; 3 on a cluster."""
    min_insync_replicas: Count = 1
    """Copies that must have a record before it counts as written; 2 with three copies."""
    events_retention_days: Days | None = None
    """Days that events are kept; unset: for ever, so that a new epoch can count them all again."""
    processing_guarantee: Guarantee = Guarantee.EXACTLY_ONCE
    """`exactly_once` needs a broker with transactions; `at_least_once` is for the embedded one."""
    instance_id: Annotated[str, Field(pattern=r"^([A-Za-z0-9._-]|\{hostname\}){0,200}$")] = ""
    """A worker's own static member id, or `{hostname}`: a crash then costs seconds. Empty: none."""
    session_timeout_s: Annotated[float, Field(ge=1)] = 10
    """Seconds without a heartbeat until a worker's partitions move on; Kafka wants 6 or more."""
    flush_interval_s: Seconds = 0.3
    """Longest time between two commits of counted events, in seconds; 3 in a backlog."""
    stalled_after_s: Seconds = 120
    """Seconds without progress on its work, or an answer of Kafka's, that make a service unwell."""
    stalled_exit_s: Seconds = 300
    """The same for ending itself (exit code 1), since few orchestrators restart what is unwell."""
    flush_max_events: Count = 20_000
    """A commit comes earlier after this many events; bounds memory."""
    compression: Compression | None = None
    """Of what the worker writes: gzip, snappy, lz4 or zstd; unset: none."""
    accept_missing_events: bool = False
    """Go on although events between the counted and the oldest kept one are gone for good."""
    max_event_bytes: Count = 65_536
    """An event longer than this many bytes is rejected as oversized."""
    allowed_skew_s: Annotated[float, Field(ge=0)] = 300
    """How many seconds an event may be dated after its recording, or recorded after its receipt."""
    forget_complete_days: Days = 60
    """Days after its newest event that a complete declaration stays in the state."""
    forget_incomplete_days: Days = 400
    """Days after its newest event that a declaration which never completes stays in the state."""
    remember_left_days: Days = 400
    """Days that a subject which left is remembered, so that no late event counts by half."""
    dead_letter_limit: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of rejected events, over the window below, at which the worker stops; 0: never."""
    dead_letter_window: Count = 10_000
    """Events over which that share is taken."""
    host: str = "127.0.0.1"
    """Address on which the HTTP endpoints listen."""
    http_certificate_file: Path | None = None
    """Our certificate for the HTTP endpoints, PEM, with its chain; unset: they speak plain HTTP."""
    http_key_file: Path | None = None
    """Its private key, PEM; unset: it is in the certificate's file."""
    http_key_password_file: Path | None = None
    """File with the password of that key; unset: the key is not encrypted."""
    http_username: Annotated[str, Field(pattern="^[^:]*$")] = ""
    """Who may ask the HTTP endpoints; empty: everybody who reaches them, and nobody may reload."""
    http_password_file: Path | None = None
    """File with the password of that user; read again once it has changed."""
    worker_port: Port = 9101
    """Port of the worker's `/metrics`."""
    scorecard_port: Port = 9100
    """Port of the scorecard's `/metrics` and API."""
    scorecard_url: str = ""
    """Where commands ask the scorecard, `https://host:port`; empty: on this machine."""
    scorecard_username: Annotated[str, Field(pattern="^[^:]*$")] = ""
    """Who asks it; empty: the scorecard asks nobody who they are."""
    scorecard_password_file: Path | None = None
    """File with the password of that user."""
    scorecard_ca_file: Path | None = None
    """Certificates that the scorecard's is checked against; unset: the usual authorities."""
    worker_urls: str = ""
    """Where `kpi-stream doctor` asks the workers, separated by commas; empty: on this machine."""
    prometheus_url: str = ""
    """Where `kpi-stream doctor` asks Prometheus, `https://host:port`; empty: it does not ask."""
    prometheus_username: Annotated[str, Field(pattern="^[^:]*$")] = ""
    """Who asks it; empty: Prometheus asks nobody who they are."""
    prometheus_password_file: Path | None = None
    """File with the password of that user."""
    prometheus_ca_file: Path | None = None
    """Certificates that Prometheus' is checked against; unset: the usual authorities."""
    evaluation_interval_s: Seconds = 1
    """Seconds between two judgements of the scorecard; figures do not wait for them."""
    hold_evaluations: Count = 3
    """Judgements for which a new status must hold before it counts."""
    status_margin: Annotated[float, Field(ge=0)] = 0.01
    """Share of the expected value by which a reading must pass a threshold to leave a status."""
    stale_after_s: Seconds = 900
    """Seconds without any event after which the readings are no data (stale)."""
    publish_interval_s: Seconds = 10
    """Shortest time between two publications of a changed reading, in seconds."""
    grafana_url: str = ""
    """Where the scorecard writes annotations, `https://host:port`; empty: nowhere."""
    public_grafana_url: str = "http://localhost:3000"
    """Where people reach Grafana; links to dashboards begin with it."""
    grafana_token_file: Path | None = None
    """File with the token of a Grafana service account; read anew for every request."""
    grafana_timeout_s: Seconds = 5
    """Longest wait for Grafana's connection, and for each piece of its answer, in seconds."""
    grafana_ca_file: Path | None = None
    """Certificates that Grafana's is checked against; unset: the usual authorities."""
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
    """Least severity that is logged: DEBUG, INFO, WARNING or ERROR."""

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object, info: ValidationInfo) -> object:
        """A Compose file passes on what is not set as an empty text."""
        optional = cls.model_fields[str(info.field_name)].default is None
        return None if optional and value == "" else value

    @classmethod
    def load(cls) -> Self:
        """Read the environment.

        Raises:
            InputError: A variable does not fit; the text names each and what was wrong.
        """
        try:
            return cls()
        except ValidationError as err:
            lines = [
                f"{PREFIX}{str(each['loc'][0]).upper()}: {each['msg']} (got {each['input']!r})"
                for each in err.errors()
            ]
            raise InputError("\n".join(lines)) from err
