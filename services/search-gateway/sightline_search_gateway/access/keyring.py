"""The keys, what each of them allows, and the tokens of sessions that were opened with one."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Sequence
from enum import IntEnum
from functools import cached_property
from secrets import token_bytes
from threading import Lock

from itsdangerous import BadData, URLSafeSerializer

PURPOSE = "sightline session"
# Some 50 ms: a stolen token must not be a quick way to find out a key that a person made up.
SCRYPT = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}


class Right(IntEnum):
    """What a visitor may do; each includes those before it."""

    NONE = 0
    READ = 1
    CHANGE = 2


class _Key:
    """One key."""

    def __init__(self, text: str, right: Right) -> None:
        self.data = text.encode()
        self.right = right

    def make_tokens(self) -> URLSafeSerializer:
        """Return the signer of this key's tokens: every process has the same, and it goes with the key."""
        secret = hashlib.scrypt(self.data, salt=PURPOSE.encode(), **SCRYPT)
        return URLSafeSerializer(secret, salt=PURPOSE, signer_kwargs={"digest_method": hashlib.sha256})


class Keyring:
    """The keys of a gateway. Safe to use from several threads.

    Args:
        change_keys: They allow everything.
        read_keys: They allow to read.
    """

    def __init__(self, change_keys: Sequence[str], read_keys: Sequence[str]) -> None:
        self._keys = [_Key(one, Right.CHANGE) for one in change_keys] + [_Key(one, Right.READ) for one in read_keys]
        self._secret = token_bytes(32)
        self._lock = Lock()

    def __bool__(self) -> bool:
        """Whether there are keys."""
        return bool(self._keys)

    def right_of(self, sent: bytes) -> Right:
        """Return what a key allows that was sent; NONE for one that is not among the keys."""
        found = self._find(sent)
        return Right.NONE if found is None else found.right

    def open_session(self, sent: bytes, seconds: int) -> str:
        """Return a token that stands for a key for so long.

        Raises:
            ValueError: It is not among the keys.
        """
        found = self._find(sent)
        if found is None:
            raise ValueError("it is not among the keys")
        token: str = self._tokens[self._keys.index(found)].dumps(int(time.time()) + seconds)
        return token

    def right_of_token(self, token: str) -> Right:
        """Return what a session's token allows; NONE where it is forged or expired, or its key is no longer one."""
        for key, tokens in zip(self._keys, self._tokens if token else (), strict=False):
            try:
                until = tokens.loads(token)
            except (BadData, UnicodeError):
                continue
            if isinstance(until, int) and until > time.time():
                return key.right
        return Right.NONE

    def digest(self, data: bytes) -> bytes:
        """Return a hash that means nothing outside of this process."""
        return hmac.digest(self._secret, data, "sha256")

    @property
    def _tokens(self) -> list[URLSafeSerializer]:
        """The signers, a key each; made once, since that is slow."""
        with self._lock:
            return self._made_tokens

    @cached_property
    def _made_tokens(self) -> list[URLSafeSerializer]:
        return [key.make_tokens() for key in self._keys]

    def _find(self, sent: bytes) -> _Key | None:
        # All are compared, and by hashes of one length, so that the time taken tells nothing about them.
        digest = self.digest(sent)
        matches = [key for key in self._keys if hmac.compare_digest(digest, self.digest(key.data))]
        return matches[0] if matches else None
