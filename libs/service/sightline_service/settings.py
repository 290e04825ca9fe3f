"""Typed settings from the environment, checked at start."""

from __future__ import annotations

import sys
from typing import Annotated, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from sightline_service.redaction import redact_message, redact_url

T = TypeVar("T", bound="SettingsGroup")


class SettingsGroup(BaseSettings):
    """Settings that share a prefix. A service's own settings hold other groups as fields.

    A nested group is declared as `bucket: BucketSettings = Field(default_factory=BucketSettings)` and reads its
    own variables. An empty variable counts as not set, so that `NAME=` in an env file means the default. A field's
    docstring explains it in `.env.example` and in the tables of the READMEs (`make settings`).
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, use_attribute_docstrings=True)


def variable_name(cls: type[BaseSettings], field: str) -> str:
    """Return the environment variable that sets a field."""
    info: FieldInfo | None = cls.model_fields.get(field)
    if info is not None and isinstance(info.validation_alias, str):
        return info.validation_alias.upper()
    return f"{cls.model_config.get('env_prefix', '')}{field}".upper()


def groups(cls: type[BaseSettings]) -> dict[str, type[SettingsGroup]]:
    """Return the nested groups of a settings class, by field."""
    found = {}
    for name, info in cls.model_fields.items():
        for candidate in (info.annotation, *get_args(info.annotation)):
            if isinstance(candidate, type) and issubclass(candidate, SettingsGroup):
                found[name] = candidate
    return found


def is_secret(cls: type[BaseSettings], field: str) -> bool:
    """Return whether a field's value is shown nowhere: a SecretStr, or what `repr=False` keeps out of sight."""
    info = cls.model_fields.get(field)
    return info is not None and (not info.repr or _holds_secret(info.annotation))


def _holds_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(_holds_secret(part) for part in get_args(annotation))


def _check_header(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not (text.isascii() and text.isprintable()):
        # gRPC's own error would show the value.
        raise ValueError("printable ASCII characters only")
    return value


HeaderSecret = Annotated[SecretStr, AfterValidator(_check_header)]
"""A secret that is sent in a header."""


def _field_at(cls: type[BaseSettings], location: str) -> str:
    """Return the field that an error is about, which goes by its alias where it has one."""
    return next((name for name, info in cls.model_fields.items() if info.validation_alias == location), location)


def describe(cls: type[BaseSettings], error: ValidationError) -> list[str]:
    """Return one readable line for each setting that is wrong: its name, its value unless secret, and what is right."""
    lines = []
    for problem in error.errors(include_url=False):
        location = problem["loc"]
        field = _field_at(cls, str(location[0])) if location else ""
        name = variable_name(cls, field) if location else cls.__name__
        message = redact_message(problem["msg"].removeprefix("Value error, "))
        if problem["type"] == "missing":
            lines.append(f"{name} is not set and has no default")
        elif is_secret(cls, field):
            lines.append(f"{name}: {message}")
        elif location:
            lines.append(f"{name}={_shown(problem['input'])}: {message}")
        else:
            lines.append(message)
    return lines


def _shown(value: object) -> str:
    if isinstance(value, BaseModel):
        return type(value).__name__
    text = redact_url(str(value))
    return text if len(text) <= 80 else f"{text[:77]}..."


def load_settings(cls: type[T]) -> T:
    """Read a service's settings, its nested groups first.

    Raises:
        SystemExit: With status 2, after one line on stderr for each setting that is wrong.
    """
    problems: list[str] = []
    values: dict[str, SettingsGroup] = {}
    for field, group in groups(cls).items():
        try:
            values[field] = group()
        except ValidationError as error:
            problems += describe(group, error)
    if not problems:
        try:
            return cls(**values)
        except ValidationError as error:
            problems += describe(cls, error)
    for line in problems:
        print(f"wrong setting: {line}", file=sys.stderr)
    raise SystemExit(2)
