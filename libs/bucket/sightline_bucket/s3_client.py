"""The client of S3 and compatible stores. botocore signs and sends each key as it is, whatever it holds."""

from __future__ import annotations

import ipaddress
import logging
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from os import environ
from typing import Any, cast
from urllib.parse import urlsplit

from botocore import UNSIGNED
from botocore.config import Config
from botocore.session import Session
from botocore.utils import parse_timestamp

# Two tries of a call and two of what is asked after it fails are shorter than a task may take.
CONNECT_SECONDS = 5
READ_SECONDS = 20
TRIES = 2
CONNECTIONS = 64
"""Kept at most, of as many threads as use a bucket at once; they open as they are needed."""


def create_client() -> Any:
    """Return a client for the store that the environment names: Amazon's, or that of AWS_ENDPOINT_URL.

    Call it after a fork. A client is safe to share between threads.

    Raises:
        ValueError: The settings contradict each other.
        botocore.exceptions.BotoCoreError: Likewise.
    """
    # What it logs at level DEBUG has the headers of requests, and so tokens.
    logging.getLogger("botocore").setLevel(logging.WARNING)
    endpoint = _endpoint()
    if endpoint is not None:
        _check_scheme(endpoint)
    config = Config(
        region_name=environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1",
        signature_version=UNSIGNED if _is_true("AWS_SKIP_SIGNATURE") else None,
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": TRIES},
        max_pool_connections=CONNECTIONS,
        proxies={} if endpoint is not None and _is_near(endpoint) else None,
        s3={"addressing_style": _addressing_style(endpoint)},
        # Compatible stores do not all know the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    session = Session()
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_parse_time)
    return session.create_client("s3", endpoint_url=endpoint, config=config)


def _parse_time(value: Any) -> datetime:
    """Return a time that the store names; botocore's own parser takes most of the time of a listing."""
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        with suppress(TypeError, ValueError):
            return parse(value)
    return cast("datetime", parse_timestamp(value))


def _endpoint() -> str | None:
    names = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    return next((environ[name] for name in names if environ.get(name)), None)


def _check_scheme(endpoint: str) -> None:
    scheme = urlsplit(endpoint).scheme
    if scheme not in ("http", "https"):
        raise ValueError("AWS_ENDPOINT_URL must begin with https:// or http://")
    if scheme == "http" and not _is_true("AWS_ALLOW_HTTP"):
        raise ValueError("AWS_ENDPOINT_URL begins with http://, which nothing encrypts; AWS_ALLOW_HTTP=true allows it")


def _addressing_style(endpoint: str | None) -> str:
    if _is_true("AWS_VIRTUAL_HOSTED_STYLE_REQUEST"):
        return "virtual"
    return "auto" if endpoint is None else "path"


def _is_near(endpoint: str) -> bool:
    """Return whether an endpoint is this machine's or its own network's, which no proxy reaches."""
    host = urlsplit(endpoint).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host
    return address.is_private or address.is_loopback or address.is_link_local


def _is_true(name: str) -> bool:
    return environ.get(name, "").lower() in ("1", "true", "yes", "on")
