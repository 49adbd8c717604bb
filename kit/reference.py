"""The settings as a table for people: `docs/reference/settings.md` is its output (`python -m kit.reference`)."""

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from kit.settings import Settings

_HEAD = """# Settings

Read once, at the start of each process, from the environment. Temporal's connection is not among them: the SDK's own
environment configuration is used (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS…`,
`TEMPORAL_CONFIG_FILE`).

| variable | default | meaning |
|---|---|---|
"""


def settings_page() -> str:
    """The whole page as Markdown, one row per setting."""
    rows = [
        f"| `{_variable(name, field)}` | {_default(field)} | {field.description} |\n"
        for name, field in Settings.model_fields.items()
    ]
    return _HEAD + "".join(rows)


def _variable(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"DAUERLAUF_{name.upper()}"


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, frozenset):
        value = ",".join(sorted(value))
    return f"`{value}`" if value != "" else "none"


if __name__ == "__main__":
    print(settings_page(), end="")  # noqa: T201 - its one purpose is to print
