"""Models, counts and readiness, for those who run Sightline."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Literal

from sightline.encoder.client import EncoderClient, EncoderError
from sightline_catalogue import Catalogue, CatalogueError, NoCollection

from sightline_search_gateway.clients.circuit_breaker import CatalogueCircuitBreaker
from sightline_search_gateway.clients.watcher import WatcherClient
from sightline_search_gateway.errors import ServiceError
from sightline_search_gateway.ingest.disks import FullDisks
from sightline_search_gateway.ingest.status import StateCounts, count_states

PROBE_SECONDS = 1.0
"""How long a readiness check waits for each service."""


@dataclass(frozen=True)
class Model:
    """A model that an encoder serves, or that the collection was made with."""

    id: str
    fingerprint: str
    dimensions: int
    context_length: Annotated[int | None, "Tokens of a text."] = None
    runtime: str | None = None
    device: str | None = None
    serving: Annotated[bool, "Whether an encoder serves it at the moment."] = False


@dataclass(frozen=True)
class CollectionRef:
    """The collection that searches go to."""

    name: str
    model_id: str
    fingerprint: str


@dataclass(frozen=True)
class Models:
    """Models and the collection."""

    models: list[Model]
    collection: Annotated[CollectionRef | None, "Null while nothing has been indexed."]


@dataclass(frozen=True)
class Counts(StateCounts):
    """Images by state."""

    total: int = 0


@dataclass(frozen=True)
class LabelCount:
    """How many indexed images a label has."""

    label: str
    count: int


@dataclass(frozen=True)
class Stats:
    """What the collection holds."""

    images: Counts
    labels: Annotated[list[LabelCount], "The most frequent first."]


@dataclass(frozen=True)
class Alive:
    """The process answers."""

    status: Literal["ok"] = "ok"


@dataclass(frozen=True)
class Ready:
    """Everything that a search needs is there."""

    ready: bool
    collection: str
    database: Annotated[str | None, "What is wrong with the vector database's nodes, though searches are answered."]
    bucket: Annotated[str | None, "What is wrong with the bucket, though searches are answered."]
    services: Annotated[str | None, "Which services keep restarting or fail, though searches are answered."]
    disk: Annotated[str | None, "Which disks are full, so that nothing is indexed, though searches are answered."]


@dataclass(frozen=True)
class OperationsService:
    """Asks the catalogue and the encoders. Safe to use from several threads.

    Args:
        probe: The catalogue, with a shorter time-out.
        watcher: Has the state of the database's nodes.
    """

    catalogue: CatalogueCircuitBreaker
    probe: Catalogue
    encoder: EncoderClient
    watcher: WatcherClient
    full_disks: FullDisks

    def models(self) -> Models:
        """Return the models that encoders serve, and the one that the collection was made with."""
        collection = self.catalogue.current_if_any()
        try:
            served = self.encoder.models(timeout_seconds=PROBE_SECONDS)
        except EncoderError:
            served = []
        models = [
            Model(one.id, one.fingerprint, one.dimensions, one.context_length, one.runtime, one.device, serving=True)
            for one in served
        ]
        if collection is None:
            return Models(models, None)
        made_with = collection.model
        if all(one.fingerprint != made_with.fingerprint for one in models):
            models.append(Model(made_with.id, made_with.fingerprint, made_with.dimensions))
        return Models(models, CollectionRef(collection.name, made_with.id, made_with.fingerprint))

    def stats(self) -> Stats:
        """Return counts of what the collection holds."""
        collection = self.catalogue.current_if_any()
        counts = asdict(count_states(self.catalogue))
        labels = collection.labels() if collection is not None else {}
        ordered = sorted(labels.items(), key=lambda item: (-item[1], item[0]))
        return Stats(Counts(**counts, total=sum(counts.values())), [LabelCount(*one) for one in ordered])

    def readiness(self) -> Ready:
        """Check that searches will be answered: the catalogue is there, and an encoder for its collection.

        Raises:
            ServiceError: They will not.
        """
        try:
            collection = self.probe.current()
        except NoCollection as error:
            raise self._not_ready("nothing has been indexed yet: there is no collection") from error
        except CatalogueError as error:
            raise self._not_ready(f"the catalogue does not answer: {error}") from error
        try:
            served = self.encoder.models(timeout_seconds=PROBE_SECONDS)
        except EncoderError as error:
            raise self._not_ready(f"the encoder does not answer: {error.message}") from error
        if all(one.fingerprint != collection.model.fingerprint for one in served):
            raise self._not_ready(f"no encoder serves {collection.model.id} ({collection.model.fingerprint[:12]})")
        database = self.watcher.database()
        return Ready(
            ready=True,
            collection=collection.name,
            database=database.message or None if database else None,
            bucket=self.watcher.bucket_warning(),
            services=self.watcher.services_warning(),
            disk=self.full_disks.message(),
        )

    def restarts(self) -> dict[str, int]:
        """Return how often each service was restarted that keeps restarting."""
        found: dict[str, int] = {}
        for one in self.watcher.restarting():
            found[one.service] = max(found.get(one.service, 0), one.restarts)
        return found

    def _not_ready(self, reason: str) -> ServiceError:
        warning = self.watcher.services_warning()
        detail = f"{reason}; {warning}" if warning else reason
        return ServiceError("not-ready", detail, retry_after_seconds=2, ready=False)
