"""What tests of access use: keys, headers, and what a visitor may do."""

from __future__ import annotations

CHANGE = "a-key-that-may-change"
READ = "a-key-that-only-reads"
PAGE = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
OTHER_SITE = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


def sign_in(world, key, **options):
    return world.client.post("/api/v1/session", json={"key": key} | options.pop("body", {}), **options)


def right_of(world, **headers):
    """Return what a visitor may do, in a word, and whether it is told so."""
    # The client has cookies of its own, in place of a header.
    client = world.app.test_client(use_cookies=False) if "Cookie" in headers else world.client
    session = client.get("/api/v1/session", headers=headers).json
    reads = client.get("/api/v1/images", headers=headers).status_code
    changes = client.post("/api/v1/ingest/rescan", json={}, headers=headers).status_code
    assert session["read"] == (reads == 200)
    assert session["change"] == (changes == 202)
    return "change" if session["change"] else "read" if session["read"] else "none"
