"""Settings come from the environment under the names the documentation gives."""

import pytest
from pydantic import ValidationError

from kit.database import sqlalchemy_url
from kit.settings import MailProvider, Role, Settings


def test_the_usual_names_of_databases_and_keys_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://there/db")
    monkeypatch.setenv("SENDGRID_API_KEY", "SG.secret")
    settings = Settings()
    assert settings.database_url == "postgresql://there/db"
    assert settings.sendgrid_api_key.get_secret_value() == "SG.secret"
    assert "SG.secret" not in repr(settings)


def test_roles_are_named_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAUERLAUF_ROLES", "intake, relay")
    assert Settings().roles == {Role.INTAKE, Role.RELAY}


@pytest.mark.parametrize(("name", "value"), [("ROLES", "dance"), ("MAIL_PROVIDER", "pigeon"), ("API_PORT", "70000")])
def test_a_setting_that_cannot_be_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"DAUERLAUF_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_mail_goes_to_the_local_inbox_unless_told_otherwise() -> None:
    assert Settings().mail_provider is MailProvider.SMTP


@pytest.mark.parametrize("prefix", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+asyncpg"])
def test_every_usual_prefix_of_a_database_url_is_taken(prefix: str) -> None:
    assert sqlalchemy_url(f"{prefix}://user@host/db?x=1") == "postgresql+psycopg://user@host/db?x=1"
