"""The watcher and a worker over a folder that changes at random, on fakes, with a clock that is set by hand."""

from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import Executor, Future
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from hypothesis import strategies as st
from hypothesis.stateful import rule
from sightline_bucket import BucketUnavailable
from sightline_catalogue import CatalogueUnavailable
from sightline_ingest_worker.broker import KEYS_PER_TASK
from sightline_ingest_worker.upstream_errors import UPSTREAM_ERRORS
from sightline_ingest_worker.watcher.missing_plan import LossRule
from sightline_ingest_worker.worker.indexing import index_keys
from sightline_service.clock import Clock
from sightline_service.queues import QUEUE_BACKFILL, QUEUE_NEW, QUEUE_REREAD

from random_changes.changes import EVENTS, KEY, NUMBER, PICK, Changes, Events, Pause
from random_changes.disk import MOVABLE, Disk, picture
from random_changes.observer import KEEP, Observer

RULE = LossRule(share=0.3, least=3, window=timedelta(minutes=10))
STILL_SECONDS = 200.0
"""What did not change for so long, within which there are three scans, is at rest."""


class Killed(BaseException):
    """The process was killed."""


class AtOnce(Executor):
    """Runs what it is given at once, so that what happens is the same each time."""

    def submit(self, call, /, *args, **kwargs):
        future = Future()
        try:
            future.set_result(call(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


class OnFakes(Changes):
    """A real folder and a real watcher; catalogue, encoder and queue are fakes.

    Attributes:
        make_scene: Makes the watcher and the fakes; see `Scene`.
        client: Of Redis.
    """

    make_scene = None
    client = None

    def __init__(self) -> None:
        super().__init__()
        self._base = Path(tempfile.mkdtemp(prefix="sightline-changes-"))
        self._seconds, self._began_at = 0.0, datetime.now(UTC)
        clock = Clock(lambda: self._began_at + timedelta(seconds=self._seconds), lambda: self._seconds)
        self.disk = Disk(self._base, clock.now)
        self.client.delete("sightline:rescan")
        self.scene = type(self).make_scene(self.client, self.disk.root, clock)
        self.scene.settings.scan_seconds = 60
        self.scene.rule, self.scene.keep = RULE, KEEP
        self.scene.quiet_seconds, self.scene.grace_seconds = 1.0, 4.0
        bench = self.scene.bench
        bench.context.readers.shutdown()
        bench.context.sender.shutdown()
        bench.context.readers = bench.context.sender = AtOnce()
        self.scene.start()
        self.tasks, self.collection = self.scene.tasks, bench.collection
        self.collection._count = self._note_call
        self._calls, self._interruption = 0, None
        self._late: list[str] = []
        self._unacknowledged: list[tuple[str, str]] = []
        self.observer = Observer(self.disk, self.scene)
        for number in range(8):
            self.disk.write(f"a/c/{number}.png", picture(number))
        self._settle()

    def teardown(self) -> None:
        try:
            self._settle()
            self.confirm()
            self._settle()
            self.observer.check_nothing_held()
        finally:
            shutil.rmtree(self._base)

    def tell(self, keys: list[str], events: Events) -> None:
        self.observer.note_change()
        if events is Events.LATE:
            self._late += keys
        elif events is not Events.LOST:
            for key in keys * (2 if events is Events.DOUBLED else 1):
                self.scene.watcher.changed.put(key)

    def change(self, events, make, *args, **kwargs):
        before = self.observer.files
        super().change(events, make, *args, **kwargs)
        if make in (self.disk.mount, self.disk.mount_bucket):
            self.observer.note_mount(before)
        if make == self.disk.leave_out:
            self.observer.note_left_out(*args)

    def pause(self, pause: Pause) -> None:
        if pause is not Pause.NONE:
            self.scan()
            self._work(KEYS_PER_TASK)
        if pause is Pause.REST and self.disk.is_there:
            self._settle()

    @rule()
    def deliver_late_events(self):
        for key in self._late:
            self.scene.watcher.changed.put(key)
        self._late = []

    @rule(count=st.integers(1, 3))
    def watch(self, count):
        for _ in range(count):
            self._step()

    @rule()
    def scan(self):
        self.scene.watcher.request_scan()
        self._step()

    @rule(most=st.sampled_from([1, 3, KEYS_PER_TASK]), is_doubled=st.booleans())
    def work(self, most, is_doubled):
        self._work(most, times=1 + is_doubled)

    @rule(
        calls=st.integers(0, 12),
        is_worker=st.booleans(),
        how=st.sampled_from(["kill", "refuse", "other", "rename", "overwrite", "restore", "delete", "swap", "move"]),
        pick=PICK,
        to=KEY,
        number=NUMBER,
        events=EVENTS,
    )
    def interrupt(self, calls, is_worker, how, pick, to, number, events):
        """Have something happen in the middle of a task, or of a step of the watcher."""

        def kill():
            raise Killed

        def refuse():
            raise CatalogueUnavailable("it does not answer")

        happen = {
            "kill": kill,
            "refuse": refuse,
            "other": self._step if is_worker else partial(self._work, KEYS_PER_TASK),
            "rename": partial(self.rename, pick, to, events),
            "overwrite": partial(self.overwrite, pick, number, events, in_place=True),
            "restore": partial(self.restore_with_the_old_time, pick, number, events, in_place=False),
            "delete": partial(self.delete, pick, events),
            "swap": partial(self.swap, pick, number, events),
            "move": partial(self.move_folder, MOVABLE[pick % len(MOVABLE)], MOVABLE[number % len(MOVABLE)], events),
        }
        self._calls, self._interruption = calls, happen[how]
        if is_worker:
            self._work(KEYS_PER_TASK)
        else:
            self._step()
        self._interruption = None

    def _note_call(self, method: str) -> None:
        """Have what is to happen at the next call of the catalogue happen."""
        self._calls -= 1
        if self._calls < 0 and self._interruption is not None:
            interruption, self._interruption = self._interruption, None
            interruption()

    @rule()
    def start_a_new_watcher(self):
        self.scene.start()

    @rule()
    def lose_the_queue(self):
        self.tasks.sent, self._unacknowledged = [], []

    @rule(seconds=st.sampled_from([0.2, 2.0, 5.0, 20.0, 70.0]))
    def wait(self, seconds):
        self._seconds += seconds

    @rule(wait=st.sampled_from([timedelta(0), RULE.window, KEEP]))
    def come_to_rest(self, wait):
        self._settle()
        self._seconds += 1.1 * wait.total_seconds()
        self._settle()

    @rule()
    def confirm(self):
        """Say, as an owner does, that what is held is gone."""
        now = self.scene.bench.clock.now()
        self.client.lpush("sightline:rescan", f'{{"confirm_loss": "{now.isoformat()}"}}')
        self.observer.note_confirmed()
        self._step()

    @rule(pick=PICK, events=st.sampled_from(Events))
    def delete_as_an_owner(self, pick, events):
        if key := self.one_of(pick):
            self.observer.note_deleted(key)
            self.change(events, self.disk.delete, key)
            self.client.lpush("sightline:rescan", f'{{"keys": ["{key}"], "deleted": true}}')

    @rule(pick=PICK)
    def verify(self, pick):
        if key := self.one_of(pick):
            self.client.lpush("sightline:rescan", f'{{"keys": ["{key}"], "verify": true}}')

    def _step(self) -> None:
        """Do one step of the watcher; go on as its process does after what ends one."""
        try:
            self.scene.watcher.step()
        except UPSTREAM_ERRORS as error:
            outcome = Future()
            outcome.set_exception(error)
            self.scene.watcher._note_failure(SimpleNamespace(outcome=outcome))
        except Killed:
            self.scene.start()
        unexpected = self.scene.watcher._reconciler.unexpected.message
        assert unexpected is None, unexpected
        self.observer.check()

    def _work(self, most: int, times: int = 1) -> bool:
        """Do the next task, as a worker does; return whether there was one."""
        queued = self.tasks.sent
        for queue in (QUEUE_NEW, QUEUE_BACKFILL, QUEUE_REREAD):
            if task := [one for one in queued if one[1] == queue][:most]:
                break
        else:
            return False
        for one in task:
            queued.remove(one)
        for _ in range(times):
            try:
                index_keys(self.scene.bench.context, [key for key, _ in task])
            except Killed:
                self._unacknowledged += task
            except (BucketUnavailable, CatalogueUnavailable):
                queued += task
                return False
            finally:
                self.tasks.in_progress = min(len(self._unacknowledged), 1)
            self.observer.check()
        return True

    def _settle(self) -> None:
        """Let time pass until nothing has changed for a while; then catalogue and bucket must be equal."""
        self.deliver_late_events()
        changed_at, before, rounds = self._seconds, None, 0
        while self._seconds - changed_at < STILL_SECONDS:
            rounds += 1
            assert rounds < 300, "it does not come to rest"
            self._step()
            self.tasks.sent += self._unacknowledged
            self._unacknowledged, self.tasks.in_progress = [], 0
            while self._work(KEYS_PER_TASK):
                pass
            self._step()
            state = (self.collection.images.copy(), self.scene.watcher._debouncer._due.copy())
            if state != before or self.tasks.sent:
                before, changed_at = state, self._seconds
                self._seconds += 2.5
            else:
                self._seconds += 21.0
        self.observer.check_at_rest()
