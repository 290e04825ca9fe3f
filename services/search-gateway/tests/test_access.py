"""Keys, sessions and users: who may do what."""

from __future__ import annotations

import io
import time

import pytest
from sightline_search_gateway.access import attempts
from sightline_search_gateway.access.guard import COOKIE, needed_right
from sightline_search_gateway.access.keyring import Keyring, Right

CHANGE = "a-key-that-may-change"
READ = "a-key-that-only-reads"
PAGE = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
OTHER_SITE = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
OPEN = {"/healthz", "/readyz", "/metrics", "/docs", "/docs/<name>", "/openapi.json", "/api/v1/session"}


@pytest.fixture
def keyed(make_world, queue):
    """Return a maker of gateways with a picture, keys, and whatever else is set."""
    made = []

    def make(**settings):
        world = make_world(**{"writable": True, "queue": queue, "api_keys": CHANGE, "read_keys": READ} | settings)
        world.image = world.add("a.jpg")
        world.maps.jobs.join("worker")
        made.append(world)
        return world

    yield make
    for world in made:
        world.maps.close()


def calls(world):
    """Return every call, as (method, rule, what sends it with some headers)."""
    found = []
    for rule in world.app.url_map.iter_rules():
        values = {"<uuid:image_id>": world.image.id, "<map:map_id>": f"m-{0:020}", "<int:index>": "0"}
        path = rule.rule
        for name, value in values.items():
            path = path.replace(name, value)
        path = path.replace("<name>", "start.js")
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):

            def send(headers, path=path, method=method):
                return world.client.open(path, method=method, headers=headers)

            found.append((method, rule.rule, send))
    return found


def sign_in(world, key, **options):
    return world.client.post("/api/v1/session", json={"key": key} | options.pop("body", {}), **options)


def what(world, **headers):
    """Return what a visitor may do, in a word, and whether it is told so."""
    # The client has cookies of its own, in place of a header.
    client = world.app.test_client(use_cookies=False) if "Cookie" in headers else world.client
    session = client.get("/api/v1/session", headers=headers).json
    reads = client.get("/api/v1/images", headers=headers).status_code
    changes = client.post("/api/v1/ingest/rescan", json={}, headers=headers).status_code
    assert session["read"] == (reads == 200)
    assert session["change"] == (changes == 202)
    return "change" if session["change"] else "read" if session["read"] else "none"


def test_every_call_but_the_open_ones_needs_a_key(keyed, problem):
    world = keyed()
    seen = set()
    for _, rule, send in calls(world):
        seen.add(rule)
        if rule in OPEN:
            assert send({}).status_code not in (401, 403), rule
        else:
            problem(send({}), 401, "key-required")
            problem(send({"X-API-Key": "wrong"}), 401, "key-required")
    assert seen > OPEN


def test_a_key_that_reads_may_make_every_call_that_changes_nothing_and_no_other(keyed, problem):
    world = keyed()
    searches = {("POST", "/api/v1/search")}
    for method, rule, send in calls(world):
        if rule in OPEN:
            continue
        answer = send({"X-API-Key": READ})
        if method == "GET" or (method, rule) in searches:
            assert answer.status_code not in (401, 403), rule
        else:
            problem(answer, 403, "not-allowed")
        assert send({"X-API-Key": CHANGE}).status_code not in (401, 403), rule


def test_a_call_that_is_added_is_guarded():
    assert needed_right("anything.new", "GET") is Right.READ
    assert needed_right("anything.new", "PATCH") is Right.CHANGE


@pytest.mark.parametrize(
    ("settings", "nobody", "reader", "changer"),
    [
        ({"api_keys": "", "read_keys": ""}, "change", "change", "change"),
        ({"read_keys": ""}, "read", "read", "change"),
        ({}, "none", "read", "change"),
        # Nothing can be changed then: a key that was given for reading must not.
        ({"api_keys": ""}, "none", "read", "none"),
    ],
    ids=["no keys", "keys to change", "keys to read and to change", "keys to read"],
)
def test_what_keys_allow(keyed, settings, nobody, reader, changer):
    world = keyed(**settings)
    assert what(world) == nobody
    assert what(world, **{"X-API-Key": READ}) == reader
    for headers in (
        {"X-API-Key": CHANGE},
        {"Authorization": f"Bearer {CHANGE}"},
        {"Authorization": f"bearer  {CHANGE}"},
    ):
        assert what(world, **headers) == changer


@pytest.mark.parametrize(
    "headers",
    [{"X-API-Key": ""}, {"X-API-Key": "é"}, {"Authorization": f"Basic {CHANGE}"}, {"Cookie": f"{COOKIE}={CHANGE}"}],
    ids=["empty", "not ASCII", "basic", "as a cookie"],
)
def test_what_is_no_key_allows_nothing(keyed, problem, headers):
    world = keyed()
    answer = world.app.test_client(use_cookies=False).get("/api/v1/images", headers=headers)
    problem(answer, 401, "key-required")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_key_may_have_any_letters(keyed):
    world = keyed(read_keys="ein-schlüssel-für-bilder")
    sent = "ein-schlüssel-für-bilder".encode().decode("latin-1")
    assert what(world, **{"X-API-Key": sent}) == "read"
    assert sign_in(world, "ein-schlüssel-für-bilder").status_code == 200


def test_uploads_are_refused_before_they_are_read(keyed, problem, picture):
    world = keyed()
    form = {"files": [(io.BytesIO(picture()), "b.jpg")]}
    problem(world.client.post("/api/v1/images", data=form, headers={"X-API-Key": READ}), 403, "not-allowed")
    form = {"files": [(io.BytesIO(picture()), "b.jpg")]}
    assert world.client.post("/api/v1/images", data=form, headers={"X-API-Key": CHANGE}).status_code == 201


@pytest.mark.parametrize("path", ["/api/v1/search", "/api/v1/session", "/api/v1/maps", "/api/v1/ingest/rescan"])
def test_no_page_of_another_site_may_post_anything(keyed, problem, path):
    for settings in ({}, {"api_keys": "", "read_keys": ""}):
        world = keyed(**settings)
        for headers in (OTHER_SITE, {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"}):
            problem(world.client.post(path, json={}, headers=headers | {"X-API-Key": CHANGE}), 403, "cross-origin")


# --- Sessions -------------------------------------------------------------------------------------------------------


def test_a_key_is_exchanged_for_a_cookie_that_does_what_it_does(keyed):
    for key, right in ((READ, "read"), (CHANGE, "change")):
        world = keyed()
        answer = sign_in(world, key, headers=PAGE)
        assert answer.status_code == 200
        assert answer.json["change"] is (right == "change")
        assert answer.json["signed_in"] is True
        assert what(world, **PAGE) == right
        # As <img> asks.
        for size in ("file", "preview", "thumbnail"):
            assert world.client.get(f"/api/v1/images/{world.image.id}/{size}").status_code == 200
        assert world.client.delete("/api/v1/session").status_code == 204
        assert what(world) == "none"


def cookie_of(answer):
    value, *attributes = answer.headers["Set-Cookie"].split("; ")
    return value.removeprefix(f"{COOKIE}="), set(attributes)


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
    assert what(world) == "read"
    monkeypatch.setattr(time, "time", lambda: now + 2 * 86_400 + 60)
    assert what(world) == "none"


def test_one_that_is_not_to_be_remembered_ends_after_a_day(keyed, monkeypatch):
    world = keyed()
    sign_in(world, READ)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 86_400 + 60)
    assert what(world) == "none"


def test_sessions_are_good_in_every_process_until_their_key_goes(keyed):
    value, _ = cookie_of(sign_in(keyed(), READ))

    def elsewhere(**settings):
        return what(keyed(**settings), Cookie=f"{COOKIE}={value}")

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
        assert what(world, Cookie=f"{COOKIE}={forged}") == "none", forged
    # By the key itself, in place of what is derived from it.
    other = Keyring([], ["another-key-for-it"])
    assert what(world, Cookie=f"{COOKIE}={other.open_session(b'another-key-for-it', 3600)}") == "none"


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


# --- Guessing -------------------------------------------------------------------------------------------------------

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
    # Not even a right guess gets through; but who is signed in already is, and so is who guesses from nowhere near.
    assert attempt(world, CHANGE).status_code == 429


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
    assert what(world) == "change"


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


# --- Users of a proxy -----------------------------------------------------------------------------------------------

PROXY = {"api_keys": "", "read_keys": "", "trusted_proxies": "127.0.0.1", "trusted_user_header": "X-Forwarded-User"}


def test_a_trusted_proxy_names_the_user(keyed, problem):
    world = keyed(**PROXY, editors="alice, bob")
    assert what(world) == "none"
    assert "proxy" in problem(world.client.get("/api/v1/images"), 401, "key-required")["detail"]
    assert what(world, **{"X-Forwarded-User": "carol"}) == "read"
    assert what(world, **{"X-Forwarded-User": "bob"}) == "change"
    assert world.client.get("/api/v1/session", headers={"X-Forwarded-User": "carol"}).json["user"] == "carol"
    body = problem(
        world.client.delete(f"/api/v1/images/{world.image.id}", headers={"X-Forwarded-User": "carol"}),
        403,
        "not-allowed",
    )
    assert "carol" in body["detail"]


def test_nobody_but_a_trusted_proxy_does(keyed):
    world = keyed(**PROXY | {"trusted_proxies": "10.0.0.0/8, 2001:db8::/32"}, editors="*")
    for forwarded in ({}, {"X-Forwarded-For": "10.1.2.3"}):
        assert what(world, **{"X-Forwarded-User": "alice"} | forwarded) == "none"
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1"):
        answer = world.client.get(
            "/api/v1/session", headers={"X-Forwarded-User": "alice"}, environ_base={"REMOTE_ADDR": address}
        )
        assert answer.json["user"] == "alice", address
    for address in ("11.1.2.3", "::1", ""):
        answer = world.client.get(
            "/api/v1/session", headers={"X-Forwarded-User": "alice"}, environ_base={"REMOTE_ADDR": address}
        )
        assert answer.json["user"] is None, address


@pytest.mark.parametrize("name", ["", " ", "mallory,alice", "alice\x01", "a" * 300])
def test_a_name_that_is_none_is_nobody(keyed, name):
    assert what(keyed(**PROXY, editors="*"), **{"X-Forwarded-User": name}) == "none"


def test_a_header_is_only_read_where_it_is_set(keyed):
    world = keyed(trusted_proxies="127.0.0.1")
    assert what(world, **{"X-Forwarded-User": "alice"}) == "none"


def test_keys_work_beside_users(keyed):
    world = keyed(**PROXY | {"api_keys": CHANGE})
    assert what(world, **{"X-API-Key": CHANGE}) == "change"
    assert what(world, **{"X-Forwarded-User": "carol", "X-API-Key": CHANGE}) == "change"
    # A token that the proxy passes on for others is no guess.
    for number in range(20):
        assert what(world, **{"X-Forwarded-User": "carol", "Authorization": f"Bearer {number}"}) == "read"


# --- Caches ---------------------------------------------------------------------------------------------------------


def test_no_shared_cache_keeps_what_not_everybody_may_read(keyed):
    world = keyed()
    version = world.client.get("/api/v1/images", headers={"X-API-Key": READ}).json["images"][0]["thumbnail_url"]
    for path in (
        version,
        f"/api/v1/images/{world.image.id}/file",
        "/api/v1/ingest",
        "/api/v1/stats",
        "/api/v1/search?q=a",
    ):
        headers = world.client.get(path, headers={"X-API-Key": READ}).headers
        kept = headers["Cache-Control"]
        assert "private" in kept or kept == "no-store", path
        assert {"Cookie", "Authorization", "X-API-Key"} <= {one.strip() for one in headers["Vary"].split(",")}
    assert "Vary" not in world.client.get("/healthz").headers


# --- Bodies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/search",
        "/api/v1/images",
        "/api/v1/maps",
        "/api/v1/maps/uploads",
        "/api/v1/ingest/rescan",
        "/api/v1/session",
    ],
)
def test_a_body_of_another_type_is_415_and_none_is_400(keyed, problem, path):
    world = keyed(api_keys="", read_keys="")
    assert {rule.rule for rule in world.app.url_map.iter_rules() if "POST" in rule.methods} == {
        *("/api/v1/search", "/api/v1/images", "/api/v1/maps", "/api/v1/maps/uploads", "/api/v1/ingest/rescan"),
        "/api/v1/session",
    }
    form = path in ("/api/v1/search", "/api/v1/images", "/api/v1/maps/uploads")
    types = ["text/plain", "application/x-www-form-urlencoded", "application/octet-stream", ""]
    for kind in [*types, "application/json" if form else "multipart/form-data; boundary=x"]:
        answer = world.client.post(path, data=b'{"labels": []}', headers={"Content-Type": kind})
        assert "Send" in problem(answer, 415, "blank")["detail"]
    assert world.client.post(path).status_code == 400
    needed = "multipart/form-data; boundary=x" if form else "application/json"
    nothing = {"input_stream": io.BytesIO(), "headers": {"Content-Type": needed}}
    assert world.client.post(path, **nothing).status_code == 400
    assert world.client.get("/api/v1/maps").json["maps"] == []
