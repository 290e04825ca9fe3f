"""Folders for data and sockets: nobody else may enter, links and originals stay as they are, paths are short."""

from __future__ import annotations

import gc
import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest
from sightline_local.__main__ import make_data_folder
from sightline_local.private_folders import make_private, make_socket_folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


class Owner:
    pass


def test_a_new_folder_is_closed_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        make_private(tmp_path / "new")
    finally:
        os.umask(before)
    assert mode(tmp_path / "new") == 0o700


def test_an_open_folder_is_mended_with_all_that_is_in_it(tmp_path):
    state, original, outside = tmp_path / "state", tmp_path / "original.jpg", tmp_path / "outside"
    (state / "logs").mkdir(parents=True)
    for path in (state / "logs" / "one.log", original, outside):
        path.write_text("x")
        path.chmod(0o644)
    (state / "link").symlink_to(outside)
    os.link(original, state / "again.jpg")
    state.chmod(0o755)
    make_private(state)
    assert mode(state) == mode(state / "logs") == 0o700
    assert mode(state / "logs" / "one.log") == 0o600
    # Somebody's own files, which have a second name there.
    assert mode(original) == mode(outside) == 0o644


def test_a_data_folder_of_ones_own_choice_stays_as_it_is(tmp_path):
    data, pictures = tmp_path / "home", tmp_path / "pictures"
    for folder in (data, pictures):
        folder.mkdir(mode=0o755)
        (folder / "mine.jpg").write_text("x")
    (data / "samples").symlink_to(pictures)
    for bucket in (pictures, data / "samples"):
        make_data_folder(data, bucket)
    assert mode(data) == mode(pictures) == 0o755
    assert mode(data / "state") == 0o700
    (tmp_path / "emptied" / "models").mkdir(parents=True)
    for ours in (tmp_path / "new", tmp_path / "emptied"):
        make_data_folder(ours, pictures)
        assert mode(ours) == 0o700
    assert mode(pictures / "mine.jpg") & 0o044


def test_the_path_of_a_socket_is_short_however_deep_temporary_files_lie(tmp_path, monkeypatch):
    deep = tmp_path.joinpath(*["a-folder-with-a-long-name"] * 5)
    deep.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    owner = Owner()
    folder = make_socket_folder(owner)
    assert mode(folder) == 0o700
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(folder / "metrics-9101"))
    del owner
    gc.collect()
    assert not folder.exists()


def test_no_socket_is_put_where_others_can_rename_its_folder(tmp_path, monkeypatch):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "open"))
    assert make_socket_folder(owner := Owner()).parent != tmp_path / "open"
    assert owner


@pytest.mark.parametrize("name", ["redis", "qdrant", "metrics-9101", "services.json", "control"])
def test_names_fit(name):
    from sightline_local.private_folders import LONGEST_SOCKET_NAME

    assert len(name) <= LONGEST_SOCKET_NAME
