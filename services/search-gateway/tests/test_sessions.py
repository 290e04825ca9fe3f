"""Sessions of the page: keys exchanged for cookies, and how guessing keys is limited."""

from __future__ import annotations

import time

import pytest
from sightline_search_gateway.access import attempts
from sightline_search_gateway.access.guard import COOKIE
from sightline_search_gateway.access.keyring import Keyring
from visitors import CHANGE, OTHER_SITE, PAGE, READ, right_of, sign_in


def cookie_of(answer):
    value, *attributes = answer.headers["Set-Cookie"].split("; ")
    return value.removeprefix(f"{COOKIE}="), set(attributes)


def test_a_key_is_exchanged_for_a_cookie_that_does_what_it_does(keyed):
    for key, right in ((READ, "read"), (CHANGE, "change")):
        world = keyed()
        answer = sign_in(world, key, headers=PAGE)
        assert answer.status_code == 200
        assert answer.json["change"] is (right == "change")
        assert answer.json["signed_in"] is True
        assert right_of(world, **PAGE) == right
        # As <img> asks.
        for size in ("file", "preview", "thumbnail"):
            assert world.client.get(f"/api/v1/images/{world.image.id}/{size}").status_code == 200
        assert world.client.delete("/api/v1/session").status_code == 204
        assert right_of(world) == "none"


def test_the_cookie_is_out_of_reach_and_holds_no_key(keyed):
    world = keyed()
    value, attributes = cookie_of(sign_in(world, CHANGE))
    assert attributes == {"HttpOnly", "SameSite=Strict", "Path=/"}
    assert CHANGE not in value
    answer = sign_in(world, READ, body={"remember": True})
    assert "Max-Age=2592000" in answer.headers["Set-Cookie"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Max-Age=0" in world.client.delete("/api/v1/session").headers["Set-Cookie"]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Proto": "https"},
        {"X-Forwarded-Proto": "https, http"},
        {"Origin": "https://localhost", "Sec-Fetch-Site": "same-origin"},
    ],
    ids=["a proxy says so", "the first of two proxies does", "the browser does"],
)
def test_over_tls_the_cookie_stays_there(keyed, headers):
    assert "Secure" in cookie_of(sign_in(keyed(), CHANGE, headers=headers))[1]


def test_a_session_ends_when_it_says(keyed, monkeypatch):
    world = keyed(session_days=2)
    assert sign_in(world, READ, body={"remember": True}).json["days"] == 2
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 2 * 86_400 - 60)
    assert right_of(world) == "read"
    monkeypatch.setattr(time, "time", lambda: now + 2 * 86_400 + 60)
    assert right_of(world) == "none"


def test_one_that_is_not_to_be_remembered_ends_after_a_day(keyed, monkeypatch):
    world = keyed()
    sign_in(world, READ)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 86_400 + 60)
    assert right_of(world) == "none"


def test_sessions_are_good_in_every_process_until_their_key_goes(keyed):
    value, _ = cookie_of(sign_in(keyed(), READ))

    def elsewhere(**settings):
        return right_of(keyed(**settings), Cookie=f"{COOKIE}={value}")

    assert elsewhere() == "read"
    assert elsewhere(read_keys=f"another-key-for-it,{READ}") == "read"
    assert elsewhere(read_keys="another-key-for-it") == "none"
    # What the key may do now counts.
    assert elsewhere(read_keys="another-key-for-it", api_keys=READ) == "change"


def test_a_forged_token_is_none(keyed):
    value, _ = cookie_of(sign_in(keyed(), READ))
    body, _, signature = value.partition(".")
    world = keyed()
    for forged in (
        body,
        f"{body}.",
        f"{body}x.{signature}",
        f"{value}x",
        f"x{value}",
        ".",
        "",
        "\xff",
        '"\\377"',
        "a" * 5000,
    ):
        assert right_of(world, Cookie=f"{COOKIE}={forged}") == "none", forged
    # By the key itself, in place of what is derived from it.
    other = Keyring([], ["another-key-for-it"])
    assert right_of(world, Cookie=f"{COOKIE}={other.open_session(b'another-key-for-it', 3600)}") == "none"


@pytest.mark.parametrize(
    "headers", [OTHER_SITE, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://localhost:9000"}], ids=str
)
def test_the_cookie_is_good_for_this_gateways_own_pages_alone(keyed, problem, headers):
    world = keyed()
    sign_in(world, CHANGE)
    problem(world.client.get(f"/api/v1/images/{world.image.id}/thumbnail", headers=headers), 401, "key-required")
    problem(world.client.get("/api/v1/search?q=cat", headers=headers), 401, "key-required")
    problem(world.client.delete(f"/api/v1/images/{world.image.id}", headers=headers), 403, "cross-origin")
    problem(world.client.delete("/api/v1/session", headers=headers), 403, "cross-origin")


def test_a_wrong_key_opens_nothing(keyed, problem):
    for world in (keyed(), keyed(api_keys="", read_keys="")):
        for key in ("wrong", f"{CHANGE},{READ}", " "):
            answer = sign_in(world, key)
            problem(answer, 401, "wrong-key")
            assert "Set-Cookie" not in answer.headers
        for body in ({}, {"key": ""}, {"key": None}, {"key": ["a"]}, {"key": "a" * 2000}, {"key": CHANGE, "who": "me"}):
            problem(world.client.post("/api/v1/session", json=body), 422, "invalid-request")


ATTEMPT = pytest.mark.parametrize(
    "attempt",
    [
        lambda world, key, **headers: sign_in(world, key, headers=headers),
        lambda world, key, **headers: world.client.get("/api/v1/images", headers={"X-API-Key": key} | headers),
        lambda world, key, **headers: world.client.get("/api/v1/session", headers={"X-API-Key": key} | headers),
    ],
    ids=["signing in", "a call", "asking what one may do"],
)


@ATTEMPT
def test_guessing_is_limited(keyed, problem, attempt):
    world = keyed()
    for number in range(10):
        assert attempt(world, f"guess {number}").status_code != 429
    answer = attempt(world, "guess 10")
    problem(answer, 429, "too-many-keys")
    assert 0 < int(answer.headers["Retry-After"]) <= attempts.WINDOW_SECONDS
    # Whoever has a key is not locked out by those who have none.
    assert attempt(world, CHANGE).status_code == 200
    assert attempt(world, "guess 11").status_code == 429


@ATTEMPT
def test_who_uses_an_old_key_again_and_again_locks_nobody_out(keyed, attempt):
    world = keyed()
    for _ in range(50):
        assert attempt(world, "the key of last year").status_code != 429
    assert attempt(world, CHANGE).status_code == 200


def test_who_is_signed_in_stays_so_whoever_guesses(keyed):
    world = keyed()
    sign_in(world, CHANGE)
    for number in range(20):
        sign_in(world, f"guess {number}")
    assert right_of(world) == "change"


def test_others_may_sign_in_meanwhile(keyed):
    world = keyed()
    for number in range(20):
        sign_in(world, f"guess {number}", headers={"X-Forwarded-For": "203.0.113.5"})
    assert sign_in(world, "wrong", headers={"X-Forwarded-For": "203.0.113.5"}).status_code == 429
    assert sign_in(world, CHANGE, headers={"X-Forwarded-For": "203.0.113.6"}).status_code == 200


def test_who_invents_addresses_comes_to_an_end(keyed):
    world = keyed()
    statuses = [
        sign_in(world, f"guess {n}", headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code for n in range(102)
    ]
    assert statuses == [401] * 100 + [429] * 2


def test_behind_a_trusted_proxy_the_address_is_what_it_saw(keyed):
    world = keyed(trusted_proxies="127.0.0.1, 10.0.0.0/8")
    for number in range(10):
        forwarded = f"203.0.113.{number}, 2001:db8::{number:x}, 10.1.2.3"
        assert sign_in(world, f"guess {number}", headers={"X-Forwarded-For": forwarded}).status_code == 401
    for last, status in (("2001:db8::ffff", 429), ("2001:db8:0:1::1", 401)):
        assert sign_in(world, "wrong", headers={"X-Forwarded-For": last}).status_code == status
