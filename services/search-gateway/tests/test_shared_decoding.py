"""Decoding that several wait for, or nobody any more: once for all, and no longer than somebody waits."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore, Event

import pytest
from fakes import FakeDecoderPool
from sightline_pictures import PictureError, PictureSettings
from sightline_pictures.decoder_pool import Busy
from sightline_pictures.decoder_process import Abandoned
from sightline_search_gateway.http.client_connection import client_is_gone
from sightline_search_gateway.images.shared_renderings import SharedRenderings
from sightline_search_gateway.ingest.upload_decoding import UploadDecoding
from sightline_search_gateway.ingest.upload_names import SentFile
from waiting import wait_for


class CountingPool(FakeDecoderPool):
    """Counts the files that it is asked to decode."""

    count = 0

    def run(self, *args, **kwargs):
        self.count += 1
        return super().run(*args, **kwargs)


def length(data, limits):
    return len(data)


def files(count):
    return [SentFile(f"{number}.jpg", lambda _, number=number: b"x" * number) for number in range(count)]


def decode(decoding, some):
    """Return lengths, and reasons."""
    outcome = []
    for file in some:
        try:
            outcome.append(decoding.run(length, file)[1])
        except PictureError as error:
            outcome.append(error.reason)
    return outcome


def upload(decoders, *, seconds=60.0, is_gone=lambda: False):
    return UploadDecoding(decoders, PictureSettings(), BoundedSemaphore(1), seconds, is_gone)


def test_an_upload_ends_at_the_first_file_for_which_there_is_no_room():
    decoders = CountingPool()
    decoders.errors[b"xx"] = Busy()
    done = decode(upload(decoders), files(100))
    assert done[:2] == [0, 1]
    assert {"try again soon" in reason for reason in done[2:]} == {True}
    assert decoders.count == 3


def test_an_upload_ends_with_its_client():
    decoders = CountingPool()
    decoders.errors[b"xx"] = Abandoned()
    assert decode(upload(decoders), files(100))[3:] == ["the client is gone"] * 97
    assert decoders.count == 3
    decode(upload(decoders, is_gone=lambda: True), files(100))
    assert decoders.count == 3


def test_an_upload_ends_with_its_time():
    decoders = CountingPool()
    decoding = upload(decoders, seconds=60)
    assert decode(decoding, files(2)) == [0, 1]
    decoding._begun -= 61
    assert "GATEWAY_UPLOAD_SECONDS" in decode(decoding, files(2))[0]
    assert decoders.count == 2


def test_a_client_is_gone_once_it_has_closed_its_connection():
    ours, theirs = socket.socketpair()
    with ours, theirs:

        class Channel:
            socket = ours

            def check(self):
                return False

        is_gone = client_is_gone({"waitress.client_disconnected": Channel().check})
        assert not is_gone()
        theirs.send(b"the next request")
        assert not is_gone()
        ours.recv(100)
        theirs.close()
        assert is_gone()
    assert is_gone()
    assert not client_is_gone({})()


def test_what_several_ask_for_is_rendered_once():
    renderings, begun, go_on = SharedRenderings[int](waiting=2), Event(), Event()
    made = []

    def render():
        begun.set()
        assert go_on.wait(60)
        made.append(1)
        return len(made)

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(renderings.run, "a", render, 60)
        assert begun.wait(60)
        others = [threads.submit(renderings.run, "a", render, 60) for _ in range(2)]
        wait_for(lambda: renderings._waiting._value == 0)
        with pytest.raises(Busy):
            renderings.run("a", render, 60)
        assert renderings.run("b", lambda: 7, 60) == 7
        go_on.set()
        assert [one.result() for one in (first, *others)] == [1, 1, 1]
    assert renderings.run("a", render, 60) == 2


def test_what_cannot_be_rendered_is_not_tried_at_each_request():
    renderings, tried = SharedRenderings[int](waiting=2), []

    def render():
        tried.append(1)
        raise PictureError("decoding it takes longer than 30 s (IMAGE_MAX_SECONDS)")

    for _ in range(3):
        with pytest.raises(PictureError, match="IMAGE_MAX_SECONDS"):
            renderings.run("a", render, 60)
    assert tried == [1]


def test_what_was_refused_for_want_of_room_is_tried_again():
    renderings = SharedRenderings[int](waiting=2)

    def busy():
        raise Busy

    with pytest.raises(Busy):
        renderings.run("a", busy, 60)
    assert renderings.run("a", lambda: 1, 60) == 1
