from __future__ import annotations

from functools import partial

import pytest
from pydantic import ValidationError
from sightline_bucket import BucketSettings, BucketUnavailable, ThumbnailSettings, ThumbnailStore, open_bucket
from sightline_service import load_settings

SHA = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("/home/me/Pictures", "file:///home/me/Pictures"),
        ("file://home/me", "three slashes"),
        ("file:pictures", "three slashes"),
        ("file:///a#b", "%23"),
        ("file:///a%00b", "zero byte"),
        ("ftp://host/x", "s3://"),
        ("gs://bucket", "s3://"),
        ("az://container", "s3://"),
        ("s3://", "name is missing"),
        ("s3://key:secret@bucket", "AWS_ACCESS_KEY_ID"),
        ("", "URL"),
    ],
)
def test_a_wrong_url_says_what_would_be_right(url, says):
    with pytest.raises(ValidationError, match=says):
        BucketSettings(url=url)


def test_settings_come_from_the_environment_and_are_read_only_by_default(monkeypatch):
    monkeypatch.setenv("BUCKET_URL", "file:///pictures/of%20mine")
    settings = BucketSettings()
    assert (settings.id, settings.writable) == ("main", False)
    with pytest.raises(ValidationError):
        BucketSettings(id="two words")


def test_thumbnails_never_go_into_the_bucket(monkeypatch, tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "pictures")
    monkeypatch.setenv("BUCKET_URL", (tmp_path / "pictures").as_uri())
    for inside in ("pictures", "pictures/thumbnails", "link/x", "other/../pictures/y"):
        monkeypatch.setenv("THUMBNAIL_URL", f"file://{tmp_path}/{inside}")
        with pytest.raises(ValidationError, match="inside the bucket"):
            ThumbnailSettings()
    for outside in ("thumbnails", "pictures-thumbnails"):
        monkeypatch.setenv("THUMBNAIL_URL", f"file://{tmp_path}/{outside}")
        assert ThumbnailSettings().url.endswith(outside)
    monkeypatch.setenv("BUCKET_URL", "s3://pictures")
    assert ThumbnailSettings().url
    monkeypatch.setenv("THUMBNAIL_URL", "s3://pictures/thumbnails")
    with pytest.raises(ValidationError, match="inside the bucket"):
        ThumbnailSettings()


def test_a_thumbnail_is_stored_by_its_content(tmp_path):
    store = ThumbnailStore((tmp_path / "made" / "later").as_uri())
    assert not (tmp_path / "made").exists()
    assert store.get(SHA) is None
    assert not store.exists(SHA)
    store.put(SHA, b"webp")
    store.put(SHA, b"webp again")
    assert store.get(SHA) == b"webp again"
    assert store.exists(SHA)
    assert (tmp_path / "made/later/01" / f"{SHA}.webp").is_file()
    store.release([SHA], lambda shas: shas)
    assert store.exists(SHA)
    store.release([SHA], lambda shas: ())
    store.release([SHA], lambda shas: ())
    assert store.get(SHA) is None


@pytest.mark.parametrize("wrong", ["", "../../etc/passwd", SHA.upper(), SHA[:-1], SHA + "0"])
def test_only_a_sha256_names_a_thumbnail(tmp_path, wrong):
    store = ThumbnailStore(tmp_path.as_uri())
    release = partial(store.release, in_use=lambda shas: ())
    for ask in (store.get, store.exists, lambda sha: release([sha]), lambda sha: store.put(sha, b"")):
        with pytest.raises(ValueError, match="SHA-256"):
            ask(wrong)


def test_a_store_that_cannot_be_written_is_unavailable(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(BucketUnavailable, match="cannot be"):
        ThumbnailStore((tmp_path / "file" / "below").as_uri()).put(SHA, b"webp")


@pytest.mark.parametrize(
    "url", ["s3://id:hush@bucket", "s3://hush@bucket/a", "s3://:hush@bucket", "s3://bucket?sv=1&sig=hush"]
)
@pytest.mark.parametrize("name", ["BUCKET_URL", "THUMBNAIL_URL"])
def test_credentials_in_a_url_are_refused_and_not_shown(monkeypatch, capsys, url, name):
    monkeypatch.setenv("BUCKET_URL", "s3://bucket/a")
    monkeypatch.setenv(name, url)
    with pytest.raises(SystemExit):
        load_settings(BucketSettings if name == "BUCKET_URL" else ThumbnailSettings)
    said = capsys.readouterr().err
    assert f"wrong setting: {name}=" in said
    assert "credentials do not belong in the URL" in said
    assert "hush" not in said


def test_errors_of_a_store_hold_no_secret(monkeypatch):
    for name, value in {
        "AWS_ACCESS_KEY_ID": "hush-id",
        "AWS_SECRET_ACCESS_KEY": "hush",
        "AWS_ENDPOINT_URL": "http://user:hush@127.0.0.1:1",
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BucketUnavailable) as caught:
        open_bucket(BucketSettings(url="s3://bucket/a")).stat("cat.jpg")
    assert "cannot be reached" in str(caught.value)
    assert "hush" not in str(caught.value)
