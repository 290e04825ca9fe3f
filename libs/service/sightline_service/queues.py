"""Redis: its settings and client, and the names of the queues and keys that the gateway and the watcher share.

Needs the `queue` extra.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import parse_qs, quote, urlsplit

import redis
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.typing import EncodableT, FieldT

from sightline_service.settings import SettingsGroup

QUEUE_NEW = "new"
"""The queue of new files, which goes first."""
QUEUE_BACKFILL = "backfill"
"""The queue of files found in bulk."""
QUEUE_REREAD = "reread"
"""The queue of indexed files that are read again to see whether they are still the same; it goes last."""
RESCAN_LIST = "sightline:rescan"
"""A Redis list of hints to the watcher, JSON: `{}` for the whole bucket, `{"keys": [...]}` for some keys,
`{"folder": "..."}` for a folder; with `"verify": true` what seems to be unchanged is read and compared, with
`"deleted": true` an owner has deleted the keys; `{"confirm_loss": TIME}`: what went missing until then is really gone.
With the id of the request that it is for, as `request_id`, and its place in a trace, as TRACE, if it has them."""
TRACE = "trace"
WATCHER_HASH = "sightline:watcher"
"""The Redis hash with the fields of `WatcherStatus`; it may be lost without harm."""

DATABASE_KEY = "sightline:database"
"""The Redis key of `DatabaseStatus`, JSON; it expires unless the watcher writes it again."""
DATABASE_SECONDS = 60
"""How long a database's status counts."""


def check_redis_url(url: str) -> str:
    """Return the URL if it can be Redis's. Characters of a password that are not escaped can make it another URL.

    Raises:
        ValueError: What would be right; without the URL, of which any part may be the password's.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme == "unix":
            fits = parts.path.strip("/") != "" and not parts.fragment
        else:
            fits = parts.scheme in ("redis", "rediss") and bool(parts.hostname) and parts.port != 0
            fits = fits and re.fullmatch(r"(/\d*)?", parts.path) is not None and not parts.fragment
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            "must be redis://HOST:PORT/0, rediss://HOST:PORT/0 or unix:///PATH?db=0; in a password, write / as %2F, "
            "? as %3F, # as %23, @ as %40 and : as %3A"
        )
    return url


RedisUrl = Annotated[str, AfterValidator(check_redis_url)]


class QueueSettings(SettingsGroup):
    """The queues."""

    model_config = SettingsConfigDict(env_prefix="QUEUE_", populate_by_name=True)

    redis_url: RedisUrl = Field(default="redis://127.0.0.1:6379/0", validation_alias="REDIS_URL", repr=False)
    """Redis, which holds the queues and the maps: redis://HOST:PORT/0, `rediss://` for TLS, or unix:///PATH?db=0 for a
    Unix socket."""
    redis_password: SecretStr | None = Field(default=None, validation_alias="REDIS_PASSWORD")
    """Redis's password, where REDIS_URL has none."""

    @property
    def password(self) -> str | None:
        """The password, if there is one."""
        return self.redis_password.get_secret_value() if self.redis_password else None

    @property
    def broker_url(self) -> str:
        """The same as Celery writes it; with the password."""
        parts = urlsplit(self.redis_url)
        login, _, host = parts.netloc.rpartition("@")
        if self.password and ":" not in login:
            login = f"{login}:{quote(self.password, safe='')}"
        netloc = f"{login}@{host}" if login else host
        if parts.scheme != "unix":
            return parts._replace(netloc=netloc).geturl()
        database = parse_qs(parts.query).get("db", ["0"])[0]
        return f"redis+socket://{netloc}{parts.path}?virtual_host={database}"


HELD_EXAMPLES = 5
"""Keys that are told of what is held."""


class HeldLoss(BaseModel):
    """Images that are held: so many are missing at once that their disk may not be mounted."""

    count: int
    """How many there are."""
    of: int
    """Of how many images."""
    since: AwareDatetime
    """Since when the first of them is missing."""
    examples: list[str]
    """Some of their keys."""

    @classmethod
    def of_keys(cls, keys: Sequence[str], of: int, since: datetime) -> HeldLoss:
        """Return the loss of the images of some keys, which are some of all images."""
        return cls(count=len(keys), of=max(of, len(keys)), since=since, examples=sorted(keys)[:HELD_EXAMPLES])

    @property
    def message(self) -> str:
        """What is the matter, as a sentence for a person."""
        what = (
            f"All {self.count:,} pictures are"
            if self.count == self.of
            else (f"{self.count:,} of {self.of:,} pictures {'is' if self.count == 1 else 'are'}")
        )
        if self.count == self.of == 1:
            what = "The only picture is"
        return f"{what} gone at once: is a disk not mounted? They stay in search meanwhile."


class WatcherStatus(BaseModel):
    """The watcher's status: its scans, and what is wrong with the bucket. None means that it is not known."""

    scanning: bool = False
    """Whether the bucket is being listed."""
    ignored: int | None = None
    """The objects of the last scan whose names are not those of images."""
    last_scan_at: AwareDatetime | None = None
    """When the last scan ended."""
    bucket_problem: str | None = None
    """Why the bucket cannot be reached, as a sentence; None while it can."""
    bucket_problem_since: AwareDatetime | None = None
    """Since when."""
    held: HeldLoss | None = None
    """What is held as a suspected loss; None while nothing is."""
    next_model: str | None = None
    """The model that everything is being read again for; None while the images of the present one are searched."""
    next_pending: int | None = None
    """How many images are pending for it."""
    next_indexed: int | None = None
    """How many are indexed for it."""
    next_failed: int | None = None
    """How many failed."""
    problem: str | None = None
    """The errors of the watcher's own that it met since the last scan without one, as a sentence."""
    updated_at: AwareDatetime | None = None
    """When this was written."""

    def write(self, client: redis.Redis) -> None:
        """Write all fields to Redis, which may have lost them.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        self.updated_at = datetime.now(UTC)
        held = None if self.held is None else self.held.model_dump_json()
        dumped = self.model_dump(mode="json") | {"scanning": int(self.scanning), "held": held}
        fields: dict[FieldT, EncodableT] = {name: "" if value is None else value for name, value in dumped.items()}
        client.hset(WATCHER_HASH, mapping=fields)

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> WatcherStatus:
        """Return the status that the Redis hash holds; one that cannot be read counts as not known."""
        try:
            known: dict[str, object] = {name: text for name, text in fields.items() if text}
            if held := fields.get("held"):
                known["held"] = HeldLoss.model_validate_json(held)
            return cls.model_validate(known)
        except ValidationError:
            return cls()


class DatabaseStatus(BaseModel):
    """The state of the vector database's nodes, as the watcher last saw it."""

    nodes: int
    """The nodes that there should be."""
    nodes_alive: int
    """Those that answer."""
    dead_nodes: list[str] = []
    """The addresses of the others."""
    shards: int
    """The parts into which collections are divided."""
    shards_unavailable: int
    """Those of which no copy answers, so that searches fail."""
    copies_wanted: int
    """The copies of all shards that there should be."""
    copies_alive: int
    """Those that answer."""
    transfers: int
    """Copies that are being made or moved."""
    message: str = ""
    """What is wrong, as a sentence; empty while all is well."""

    def write(self, client: redis.Redis) -> None:
        """Write it to Redis, where it expires after DATABASE_SECONDS.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        client.set(DATABASE_KEY, self.model_dump_json(), ex=DATABASE_SECONDS)

    @classmethod
    def read(cls, text: str | None) -> DatabaseStatus | None:
        """Return the status that Redis holds; one that cannot be read counts as not known."""
        try:
            return cls.model_validate_json(text) if text else None
        except ValidationError:
            return None


def redis_client(settings: QueueSettings, *, decode_responses: bool = True, timeout_seconds: float = 5) -> redis.Redis:
    """Return a Redis client that gives up after `timeout_seconds` instead of hanging, and at once where none runs.

    It does not retry: its callers handle the error, and go on without Redis.
    """
    return redis.Redis.from_url(
        settings.redis_url,
        # A password in the URL counts instead.
        password=settings.password,
        socket_connect_timeout=timeout_seconds,
        socket_timeout=timeout_seconds,
        health_check_interval=30,
        # Explicit, since redis-py's default number of retries, seconds apart, depends on how a client is made.
        retry=Retry(NoBackoff(), 0),
        decode_responses=decode_responses,
    )
