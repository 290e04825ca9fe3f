"""All collections of a data folder, and their aliases."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from urllib.parse import quote, unquote
from uuid import uuid4

from qdrant_client import grpc as api
from sightline_service.atomic_write import atomic_write, sync

from sightline_qdrant_edge.collection import EdgeCollection
from sightline_qdrant_edge.errors import AlreadyExists, Unimplemented, WrongInput, collection_missing
from sightline_qdrant_edge.files import discard
from sightline_qdrant_edge.reserve import Reserve

_MAX_NAME_BYTES = 255
_FORBIDDEN = frozenset('<>:"/\\|?*') | {chr(code) for code in range(32)}


class Store:
    """The collections and aliases of one data folder, open.

    On disk: `collections/NAME/` and `aliases.json`. A folder whose name begins with a dot is left over from a crash.
    """

    def __init__(self, folder: Path, cache_bytes: int, reserve: Reserve) -> None:
        """Open all collections, each of which keeps so many bytes of points, and delete what a crash left behind."""
        self._cache_bytes = cache_bytes
        self._reserve = reserve
        self._folder = folder / "collections"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._aliases_file = folder / "aliases.json"
        self._lock = Lock()
        self._collections: dict[str, EdgeCollection] = {}
        for entry in sorted(self._folder.iterdir()):
            if entry.name.startswith("."):
                discard(entry)
            elif entry.is_dir():
                name = unquote(entry.name)
                self._collections[name] = EdgeCollection(name, entry, cache_bytes, reserve)
        self._aliases: dict[str, str] = {}
        if self._aliases_file.exists():
            stored = json.loads(self._aliases_file.read_bytes())
            self._aliases = {alias: name for alias, name in stored.items() if name in self._collections}

    def get(self, name: str) -> EdgeCollection:
        """Return a collection by its name or by an alias.

        Raises:
            NotFound: There is none.
        """
        found = self._collections.get(name) or self._collections.get(self._aliases.get(name, ""))
        if found is None:
            raise collection_missing(name)
        return found

    def collections(self) -> list[EdgeCollection]:
        """Return all collections, by name."""
        return [found for _, found in sorted(self._collections.items())]

    def create(self, request: api.CreateCollection) -> None:
        """Create a collection, atomically.

        Raises:
            AlreadyExists: The name is taken by a collection.
            WrongInput: The name is taken by an alias, or cannot be a name.
        """
        name = request.collection_name
        folder = self._folder / _folder_name(name)
        with self._lock:
            if name in self._collections:
                raise AlreadyExists(f"Wrong input: Collection `{name}` already exists!")
            if name in self._aliases:
                raise WrongInput(f"Wrong input: Can't create collection `{name}`: an alias has the same name")
            draft = self._folder / f".new-{uuid4().hex[:8]}"
            try:
                EdgeCollection.create(draft, request)
                draft.rename(folder)
            finally:
                discard(draft)
            sync(self._folder)
            opened = EdgeCollection(name, folder, self._cache_bytes, self._reserve)
            self._collections = {**self._collections, name: opened}

    def delete(self, name: str) -> bool:
        """Delete a collection, by its own name only, with its aliases; False where there is none."""
        with self._lock:
            found = self._collections.get(name)
            if found is None:
                return False
            self._collections = {key: item for key, item in self._collections.items() if key != name}
            self._save_aliases({alias: target for alias, target in self._aliases.items() if target != name})
            found.close()
            discard(found.folder)
            sync(self._folder)
            return True

    def aliases(self) -> dict[str, str]:
        """Return the collection of each alias."""
        return self._aliases

    def change_aliases(self, actions: Iterable[api.AliasOperations]) -> None:
        """Apply changes in their order, all of them or none.

        Raises:
            NotFound: A collection that does not exist.
            AlreadyExists: An alias with the name of a collection.
        """
        with self._lock:
            changed = dict(self._aliases)
            for action in actions:
                self._change(changed, action)
            self._save_aliases(changed)

    def _change(self, aliases: dict[str, str], action: api.AliasOperations) -> None:
        kind = action.WhichOneof("action")
        if kind == "create_alias":
            name, alias = action.create_alias.collection_name, action.create_alias.alias_name
            if name not in self._collections:
                raise collection_missing(name)
            _folder_name(alias)
            if alias in self._collections:
                raise AlreadyExists(f"Wrong input: Collection `{alias}` already exists!")
            aliases[alias] = name
        elif kind == "delete_alias":
            aliases.pop(action.delete_alias.alias_name, None)
        elif kind is None:
            raise WrongInput("Wrong input: an alias operation without an action")
        else:
            raise Unimplemented(f"qdrant-edge does not serve {kind}")

    def _save_aliases(self, aliases: dict[str, str]) -> None:
        if aliases != self._aliases:
            atomic_write(self._aliases_file, json.dumps(aliases, indent=1, sort_keys=True).encode(), durable=True)
            self._aliases = aliases

    def close(self) -> None:
        """Flush and close every collection."""
        with self._lock:
            for found in self._collections.values():
                found.close()


def _folder_name(name: str) -> str:
    if not 0 < len(name.encode()) <= _MAX_NAME_BYTES or _FORBIDDEN.intersection(name):
        raise WrongInput(
            f'Wrong input: `{name[:80]}` cannot be a name: 1 to {_MAX_NAME_BYTES} bytes, none of < > : " / \\ | ? *'
        )
    folder = quote(name, safe=" ").replace(".", "%2E")
    if len(folder) > _MAX_NAME_BYTES:
        raise WrongInput(f"Wrong input: the name `{name[:80]}` is too long")
    return folder
