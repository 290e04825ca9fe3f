"""Keys and users: who may do what."""

from __future__ import annotations

import io

import pytest
from sightline_search_gateway.access.guard import COOKIE, needed_right
from sightline_search_gateway.access.keyring import Right
from visitors import CHANGE, OTHER_SITE, READ, right_of, sign_in

OPEN = {"/healthz", "/readyz", "/metrics", "/docs", "/docs/<name>", "/openapi.json", "/api/v1/session"}


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
    assert right_of(world) == nobody
    assert right_of(world, **{"X-API-Key": READ}) == reader
    for headers in (
        {"X-API-Key": CHANGE},
        {"Authorization": f"Bearer {CHANGE}"},
        {"Authorization": f"bearer  {CHANGE}"},
    ):
        assert right_of(world, **headers) == changer


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
    assert right_of(world, **{"X-API-Key": sent}) == "read"
    assert sign_in(world, "ein-schlüssel-für-bilder").status_code == 200


def test_uploads_are_refused_before_they_are_read(keyed, problem, picture):
    world = keyed()
    form = {"files": [(io.BytesIO(picture()), "b.jpg")]}
    problem(world.client.post("/api/v1/images", data=form, headers={"X-API-Key": READ}), 403, "not-allowed")
    form = {"files": [(io.BytesIO(picture("blue")), "b.jpg")]}
    assert world.client.post("/api/v1/images", data=form, headers={"X-API-Key": CHANGE}).status_code == 201


@pytest.mark.parametrize("path", ["/api/v1/search", "/api/v1/session", "/api/v1/maps", "/api/v1/ingest/rescan"])
def test_no_page_of_another_site_may_post_anything(keyed, problem, path):
    for settings in ({}, {"api_keys": "", "read_keys": ""}):
        world = keyed(**settings)
        for headers in (OTHER_SITE, {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"}):
            problem(world.client.post(path, json={}, headers=headers | {"X-API-Key": CHANGE}), 403, "cross-origin")


PROXY = {"api_keys": "", "read_keys": "", "trusted_proxies": "127.0.0.1", "trusted_user_header": "X-Forwarded-User"}


def test_a_trusted_proxy_names_the_user(keyed, problem):
    world = keyed(**PROXY, editors="alice, bob")
    assert right_of(world) == "none"
    assert "proxy" in problem(world.client.get("/api/v1/images"), 401, "key-required")["detail"]
    assert right_of(world, **{"X-Forwarded-User": "carol"}) == "read"
    assert right_of(world, **{"X-Forwarded-User": "bob"}) == "change"
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
        assert right_of(world, **{"X-Forwarded-User": "alice"} | forwarded) == "none"
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
    assert right_of(keyed(**PROXY, editors="*"), **{"X-Forwarded-User": name}) == "none"


def test_a_header_is_only_read_where_it_is_set(keyed):
    world = keyed(trusted_proxies="127.0.0.1")
    assert right_of(world, **{"X-Forwarded-User": "alice"}) == "none"


def test_keys_work_beside_users(keyed):
    world = keyed(**PROXY | {"api_keys": CHANGE})
    assert right_of(world, **{"X-API-Key": CHANGE}) == "change"
    assert right_of(world, **{"X-Forwarded-User": "carol", "X-API-Key": CHANGE}) == "change"
    # A token that the proxy passes on for others is no guess.
    for number in range(20):
        assert right_of(world, **{"X-Forwarded-User": "carol", "Authorization": f"Bearer {number}"}) == "read"


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
