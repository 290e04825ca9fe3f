"""Decoders as processes: what takes too long, too much memory, or crashes harms nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress

import psutil
import pytest
from PIL import Image
from sightline_pictures import PictureError, PictureSettings
from sightline_pictures.decoder_pool import Busy, DecoderPool, Patience
from sightline_pictures.decoder_process import Abandoned, DecoderProcess, TooSlow
from sightline_pictures.rendering import check_format, render_thumbnail
from slow_picture import slow_jpeg
from waiting import wait_for

LIMITS = PictureSettings()
SECONDS = 60
# `eval` takes bytes first, as the functions of `rendering` do: what it is given runs in the decoder.
PID = b"__import__('os').getpid()"
FOREVER = b"__import__('time').sleep(600)"
# Sleeps in C, so that no Python code of the decoder runs when its parent dies.
PARENT = """
from sightline_pictures.decoder_process import DecoderProcess
decoder = DecoderProcess()
print(decoder.run(eval, 60, lambda: False, b"__import__('os').getpid()"), flush=True)
decoder.run(eval, 600, lambda: False, b"__import__('time').sleep(600)")
"""


def never() -> bool:
    return False


@pytest.fixture
def decoder():
    made = DecoderProcess()
    yield made
    made.close()


@pytest.fixture
def pool():
    made = DecoderPool(1, SECONDS, callers=4)
    yield made
    made.close()


def lose(pool: DecoderPool) -> None:
    """Have something decoded that takes too long."""
    with suppress(PictureError, Busy):
        pool.run(eval, Patience(1), lambda: FOREVER)


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_picture_is_decoded_by_one_process_again_and_again(decoder, file_of, photo):
    data = file_of(photo, "PNG")
    assert decoder.run(render_thumbnail, SECONDS, never, data, LIMITS) == render_thumbnail(data, LIMITS)
    pid = decoder.run(eval, SECONDS, never, PID)
    assert pid != os.getpid()
    assert decoder.run(eval, SECONDS, never, PID) == pid


def test_what_is_wrong_with_a_file_is_said_as_ever(decoder):
    with pytest.raises(PictureError, match="looks like text"):
        decoder.run(check_format, SECONDS, never, b"no image at all", LIMITS)
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        decoder.run(eval, SECONDS, never, b"1 / 0")


def test_a_slow_one_is_ended_and_the_next_is_decoded(decoder):
    pid = decoder.run(eval, SECONDS, never, PID)
    with pytest.raises(TooSlow):
        decoder.run(eval, 0.2, never, FOREVER)
    decoder.close()
    assert not is_running(pid)
    assert decoder.run(eval, SECONDS, never, b"1 + 1") == 2


def test_a_slow_one_goes_on_where_it_is_waited_for(decoder):
    with pytest.raises(TooSlow):
        decoder.run(eval, 0.1, never, b"__import__('time').sleep(1) or 3")
    assert decoder.run(eval, SECONDS, never, b"__import__('time').sleep(1) or 3") == 3


def test_one_that_nobody_waits_for_is_ended(decoder):
    gone = threading.Event()
    threading.Timer(0.2, gone.set).start()
    with pytest.raises(Abandoned):
        decoder.run(eval, 600, gone.is_set, FOREVER)


def test_a_crash_is_the_files_own(decoder):
    with pytest.raises(PictureError, match="ended the decoder"):
        decoder.run(eval, SECONDS, never, b"__import__('os').abort()")
    assert decoder.run(eval, SECONDS, never, b"1 + 1") == 2


def test_memory_out_of_proportion_is_refused(decoder):
    with pytest.raises(PictureError, match="more memory"):
        decoder.run(eval, SECONDS, never, b"len(bytearray(400_000_000))")
    assert decoder.run(eval, SECONDS, never, b"1 + 1") == 2


def test_a_large_picture_may_take_what_it_needs(decoder, file_of):
    data = file_of(Image.new("RGB", (12_000, 8_000), (9, 99, 199)), "PNG")
    assert decoder.run(check_format, SECONDS, never, data, LIMITS) == "PNG"


def test_a_decoder_ends_with_its_parent():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE)
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.kill()
    wait_for(lambda: not is_running(pid))


def test_a_slow_file_holds_up_nobody_else(pool, file_of, photo):
    quick = file_of(photo, "PNG")
    threading.Thread(target=lose, args=(pool,), daemon=True).start()
    wait_for(lambda: pool._slow._value == 0)
    for _ in range(3):
        data, kind = pool.run(check_format, Patience(SECONDS), lambda: quick, LIMITS)
        assert (data, kind) == (quick, "PNG")
    with pytest.raises(Busy):
        pool.run(eval, Patience(0.1), lambda: FOREVER)


def test_a_slow_file_that_nobody_waits_for_is_ended(pool):
    gone = threading.Event()
    threading.Timer(0.5, gone.set).start()
    with pytest.raises(Abandoned):
        pool.run(eval, Patience(SECONDS, gone.is_set), lambda: FOREVER)
    assert pool.run(eval, Patience(SECONDS), lambda: b"1 + 1")[1] == 2


def test_nobody_waits_for_a_decoder_any_more(pool):
    threading.Thread(target=lose, args=(pool,), daemon=True).start()
    with pytest.raises(Abandoned):
        pool.run(eval, Patience(SECONDS, lambda: True), lambda: b"1 + 1")


def test_more_callers_than_may_wait_are_refused_at_once(pool, file_of, photo):
    for _ in range(4):
        threading.Thread(target=lose, args=(pool,), daemon=True).start()
    wait_for(lambda: pool._callers._value == 0)
    with pytest.raises(Busy):
        pool.run(check_format, Patience(600), lambda: file_of(photo, "PNG"), LIMITS)


def test_a_decoder_is_told_no_secrets(decoder, monkeypatch):
    monkeypatch.setenv("ENCODER_TOKEN", "secret")
    assert decoder.run(eval, SECONDS, never, b"__import__('os').environ.get('ENCODER_TOKEN')") is None


def test_a_file_that_takes_its_time_is_refused_with_the_reason():
    pool = DecoderPool(1, 0.5, callers=1)
    try:
        with pytest.raises(PictureError, match="IMAGE_MAX_SECONDS"):
            pool.run(check_format, Patience(SECONDS), lambda: slow_jpeg(), LIMITS)
    finally:
        pool.close()


def test_a_jpeg_of_too_many_scans_is_refused_at_once():
    assert check_format(slow_jpeg(400, 12), LIMITS) == "JPEG"
    with pytest.raises(PictureError, match="too long to decode"):
        check_format(slow_jpeg(12_000, 140), LIMITS)
