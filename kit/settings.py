"""Every setting of the product, read once from the environment at the process's edge and passed on from there.

Temporal's own connection settings (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, TLS, API key …) are not repeated
here: `kit.temporal` reads them with `temporalio.envconfig`.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class MailProvider(StrEnum):
    """Who carries the channel `email`."""

    SMTP = "smtp"
    SENDGRID = "sendgrid"


class Role(StrEnum):
    """What one worker process does. All of them by default; name some to scale them apart."""

    JOURNEYS = "journeys"
    INTAKE = "intake"
    RELAY = "relay"
    CLOCKS = "clocks"


def _named(*names: str) -> AliasChoices:
    return AliasChoices(*names)


class Settings(BaseSettings):
    """Settings of one process. Each is `DAUERLAUF_<NAME>` in the environment unless its description says otherwise."""

    model_config = SettingsConfigDict(env_prefix="DAUERLAUF_", extra="ignore", populate_by_name=True)

    database_url: str = Field(
        default="postgresql://localhost/dauerlauf",
        validation_alias=_named("DATABASE_URL", "DAUERLAUF_DATABASE_URL"),
        description="PostgreSQL 18 connection URL, `postgresql://user:password@host/database`. Read from DATABASE_URL.",
    )
    database_pool_size: int = Field(default=10, ge=1, description="Connections each process keeps open at most.")
    task_queue: str = Field(default="journeys", description="Temporal task queue of ContactJourney and its activities.")
    roles: Annotated[frozenset[Role], NoDecode] = Field(
        default=frozenset(Role),
        description="What this worker does: comma-separated of clocks, intake, journeys, relay.",
    )
    sandboxed: bool = Field(
        default=False,
        description="Run workflow code in the SDK's sandbox. Off in production (twice the CPU), on in every test.",
    )
    deployment_name: str = Field(default="", description="Temporal worker deployment; empty: no worker versioning.")
    build_id: str = Field(default="", description="Build id within the worker deployment.")
    api_host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    api_port: int = Field(default=8000, ge=0, le=65535, description="Port the API listens on; 0 takes a free one.")
    public_url: str = Field(default="http://127.0.0.1:8000", description="Address of the API as contacts reach it.")
    max_body_bytes: int = Field(default=500_000, ge=1_000, description="Largest request body after decompression.")
    mail_provider: MailProvider = Field(default=MailProvider.SMTP, description="Carrier of mail: smtp or sendgrid.")
    mail_from: str = Field(default="Dauerlauf <hello@example.com>", description="Sender of every mail.")
    postal_address: str = Field(
        default="Dauerlauf, Musterweg 1, 12345 Musterstadt", description="Sender's postal address, in each mail."
    )
    smtp_host: str = Field(default="127.0.0.1", description="SMTP server.")
    smtp_port: int = Field(default=1025, ge=1, le=65535, description="SMTP server's port.")
    smtp_user: str = Field(default="", description="SMTP user; empty: no login.")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="SMTP password.")
    smtp_start_tls: bool = Field(default=False, description="Demand STARTTLS before login and mail.")
    smtp_per_second: float = Field(
        default=0, ge=0, le=10_000, description="Mails all workers together give the SMTP server a second; 0: no limit."
    )
    sendgrid_api_key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=_named("SENDGRID_API_KEY", "DAUERLAUF_SENDGRID_API_KEY"),
        description="SendGrid key. Read from SENDGRID_API_KEY.",
    )
    sendgrid_host: str = Field(
        default="https://api.sendgrid.com", description="SendGrid host; for EU subusers https://api.eu.sendgrid.com."
    )
    sendgrid_per_second: float = Field(
        default=0, ge=0, le=10_000, description="Mails all workers together give SendGrid a second; 0: no limit."
    )
    default_time_zone: str = Field(default="Europe/Berlin", description="IANA zone of contacts without one.")
    default_country: str = Field(default="DE", description="ISO 3166 country of contacts without one (holidays).")
    default_locale: str = Field(default="de", description="Language of contacts without one: de or en.")
    overdue_after_hours: int = Field(
        default=72, ge=1, description="A send whose time lies longer ago than this is refused as overdue."
    )
    weekly_cap: int = Field(
        default=3,
        ge=0,
        description="Marketing messages one contact gets within 7 days at most, from all journeys together; 0: no cap.",
    )
    daily_cap: int = Field(
        default=0, ge=0, description="Marketing messages one contact gets within 24 hours at most; 0: no cap."
    )
    daily_cap_by_calendar: bool = Field(
        default=False, description="Count for the daily cap by the calendar day where the contact lives instead."
    )
    cap_wait_hours: int = Field(
        default=168, ge=1, description="Hours a message at a cap waits at most where the journey says nothing else."
    )
    repeat_after_hours: int = Field(
        default=18,
        ge=0,
        description="Hours before the same marketing or sales template may go to the same contact again.",
    )
    control_group_percent: int = Field(
        default=0, ge=0, le=50, description="Percent of all contacts who get no marketing message, as a control group."
    )
    resend_after_minutes: int = Field(
        default=15, ge=1, description="A transactional message with unknown outcome is sent again after this long."
    )
    digest_key: SecretStr = Field(
        default=SecretStr("development-only"), description="Key of the digests that suppressed addresses are kept as."
    )
    alert_email: str = Field(
        default="",
        validation_alias=_named("ALERT_EMAIL", "DAUERLAUF_ALERT_EMAIL"),
        description="Who is told by mail when something is stuck; empty: nobody. Read from ALERT_EMAIL.",
    )
    alert_every_minutes: int = Field(
        default=60, ge=1, description="Minutes between two such mails at least; what is found meanwhile is in the next."
    )
    stuck_after_minutes: int = Field(
        default=5, ge=1, description="Minutes something may be late before it counts as stuck."
    )
    temporal_ui_url: str = Field(
        default="",
        description="Address of the Temporal UI as operators reach it, for links in those mails; empty: none.",
    )
    state_directory: Path = Field(default=Path(".dauerlauf"), description="State of the embedded stack.")
    log_format: str = Field(default="console", pattern="^(console|json)$", description="console or json.")
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")

    def in_zone(self, time_zone: str | None) -> "Settings":
        """These settings, with another zone (an IANA name) for contacts without one; the same where it is None."""
        return self if time_zone is None else self.model_copy(update={"default_time_zone": time_zone})

    @field_validator("roles", mode="before")
    @classmethod
    def _split_roles(cls, value: object) -> object:
        return [part.strip() for part in value.split(",")] if isinstance(value, str) else value
