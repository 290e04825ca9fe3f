"""The changes that are made to a bucket, as rules of a state machine."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from enum import Enum

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from random_changes.disk import FOLDERS, KEYS, MOVABLE, Disk, broken, picture


class Events(Enum):
    """What becomes of the file events of a change."""

    TOLD = "told"
    DOUBLED = "doubled"
    LATE = "late"
    LOST = "lost"


class Pause(Enum):
    """For how long a disk is away."""

    NONE = "nothing sees it"
    SEEN = "the watcher sees it"
    REST = "all that can be done is done"


KEY = st.sampled_from(KEYS)
NUMBER = st.integers(0, 30)
PICK = st.integers(0, 99)
EVENTS = st.sampled_from(Events)
IN_PLACE = st.booleans()


class Changes(RuleBasedStateMachine):
    """Changes a bucket; a subclass says how its watcher is told, and what must be so."""

    disk: Disk

    @abstractmethod
    def tell(self, keys: list[str], events: Events) -> None:
        """Deliver the file events of a change, or do not."""

    def change(self, events: Events, make: Callable[..., list[str]], *args: object, **kwargs: object) -> None:
        """Make a change."""
        self.tell(make(*args, **kwargs), events)

    @abstractmethod
    def pause(self, pause: Pause) -> None:
        """Let some time pass."""

    def one_of(self, pick: int) -> str | None:
        """Return one of the bucket's files; None where there are none."""
        found = self.disk.pictures()
        return found[pick % len(found)] if found else None

    @rule(key=KEY, number=NUMBER, events=EVENTS, in_place=IN_PLACE)
    def create(self, key, number, events, in_place):
        self.change(events, self.disk.write, key, picture(number), in_place=in_place)

    @rule(folder=st.sampled_from(FOLDERS), first=NUMBER, events=EVENTS)
    def fill(self, folder, first, events):
        keys = [key for key in KEYS if key.rpartition("/")[0] == folder.strip("/")]
        for number, key in enumerate(keys, first):
            self.change(events, self.disk.write, key, picture(number))

    @rule(pick=PICK, number=NUMBER, events=EVENTS, in_place=IN_PLACE)
    def overwrite(self, pick, number, events, in_place):
        if key := self.one_of(pick):
            self.change(events, self.disk.write, key, picture(number), in_place=in_place)

    @rule(pick=PICK, number=NUMBER, events=EVENTS, in_place=IN_PLACE)
    def restore_with_the_old_time(self, pick, number, events, in_place):
        if key := self.one_of(pick):
            self.change(events, self.disk.restore, key, picture(number), in_place=in_place)

    @rule(pick=PICK, number=NUMBER, events=EVENTS, is_text=st.booleans())
    def break_a_file(self, pick, number, events, is_text):
        key = self.one_of(pick)
        if key and "." in key:
            self.change(events, self.disk.write, key, b"not a picture" if is_text else broken(number))

    @rule(pick=PICK, events=EVENTS, how=st.sampled_from(["touch", "change_mode"]))
    def touch(self, pick, events, how):
        if key := self.one_of(pick):
            self.change(events, getattr(self.disk, how), key)

    @rule(pick=PICK, to=KEY, events=EVENTS, with_time=st.booleans())
    def copy(self, pick, to, events, with_time):
        if key := self.one_of(pick):
            self.change(events, self.disk.copy, key, to, with_time=with_time)

    @rule(pick=PICK, to=KEY, events=EVENTS)
    def rename(self, pick, to, events):
        if key := self.one_of(pick):
            self.change(events, self.disk.rename, key, to)

    @rule(first=PICK, second=PICK, events=EVENTS)
    def swap(self, first, second, events):
        one, other = self.one_of(first), self.one_of(second)
        if one and other and one != other:
            self.change(events, self.disk.swap, one, other)

    @rule(pick=PICK, events=EVENTS)
    def delete(self, pick, events):
        if key := self.one_of(pick):
            self.change(events, self.disk.delete, key)

    @rule(folder=st.sampled_from(MOVABLE), events=EVENTS)
    def delete_folder(self, folder, events):
        self.change(events, self.disk.delete, folder)

    @rule(source=st.sampled_from(MOVABLE), to=st.sampled_from(MOVABLE), events=EVENTS)
    def move_folder(self, source, to, events):
        self.change(events, self.disk.move_folder, source, to)

    @rule(pick=PICK, rating=st.integers(0, 5), events=EVENTS)
    def describe(self, pick, rating, events):
        key = self.one_of(pick)
        # 4.xmp would describe 4.png, too.
        if key and "." in key:
            self.change(events, self.disk.describe, key, rating)

    @rule(folder=st.sampled_from(("a", "b", "a/c")), events=EVENTS)
    def leave_out(self, folder, events):
        self.change(events, self.disk.leave_out, folder)

    @rule(number=st.integers(0, 1))
    def mount(self, number):
        self.change(Events.LOST, self.disk.mount, number)

    @rule(number=st.integers(0, 1), is_for_good=st.booleans(), pause=st.sampled_from(Pause))
    def mount_bucket(self, number, is_for_good, pause):
        self.change(Events.LOST, self.disk.mount_bucket, number)
        self.pause(pause)
        if not is_for_good:
            self.change(Events.LOST, self.disk.mount_bucket, number)

    @rule(pause=st.sampled_from(Pause))
    def take_bucket_away(self, pause):
        self.disk.take_away()
        self.pause(pause)
        self.disk.put_back()
