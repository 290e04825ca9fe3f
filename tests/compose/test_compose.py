"""What `docker compose up` gives: pictures are found, what dies comes back, and nothing is open that need not be."""

from __future__ import annotations

import os
import socket
import subprocess
import time

import pytest
from engine import kill_and_see_it_come_back, over_a_folder, wait_for
from images import drawn
from outside import Outside

SERVICES = ("qdrant", "redis", "encoder", "ingest-worker", "watcher", "map-worker", "search-gateway", "web")
PUBLISHED = {"web": "8080/tcp", "encoder": "50051/tcp", "seaweedfs": "8333/tcp"}
FOUND_SECONDS = 60

folder_only = pytest.mark.parametrize("system", over_a_folder(), indirect=True, scope="session")


def test_a_text_finds_the_picture_that_shows_it(system):
    photographs = [key for key in system.found("a bee on a flower") if "drawn" not in key]
    assert photographs[0] == "flower.jpg"


def test_a_picture_put_into_the_bucket_is_found_and_a_deleted_one_disappears(system):
    system.bucket.put("dropped.jpg", drawn(100))
    wait_for("the picture is found", lambda: "dropped.jpg" in system.found("a picture"), FOUND_SECONDS)
    system.bucket.delete("dropped.jpg")
    wait_for("it is gone", lambda: "dropped.jpg" not in system.found("a picture"), FOUND_SECONDS)


@folder_only
def test_the_page_is_served_packed_cached_and_fenced_in(system):
    page = system.http.get("/", headers={"Accept-Encoding": "gzip"})
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["content-encoding"] == "gzip"
    assert page.headers["cache-control"] == "no-cache"
    script = page.text.partition('src="/assets/')[2].partition('"')[0]
    asset = system.http.get(f"/assets/{script}")
    assert asset.status_code == 200
    assert "immutable" in asset.headers["cache-control"]
    assert system.http.get("/any/address/of/the/page").text == page.text
    assert system.http.get("/assets/none.js").status_code == 404


@folder_only
def test_the_gateway_sees_the_host_that_was_asked(system):
    assert system.http.get("/api/v1/stats", headers={"Host": "pictures.example"}).status_code == 421
    assert system.http.get("/docs").status_code == 200
    assert system.http.get("/openapi.json").json()["openapi"]
    assert system.http.get("/metrics").headers["content-type"].startswith("text/html")  # The page, not the gateway's.


def test_no_process_runs_as_root(system):
    for service, container in system.containers().items():
        done = subprocess.run(
            ["docker", "top", container["Id"], "-eo", "uid,pid,args"], capture_output=True, text=True, check=True
        )
        users = {line.split()[0] for line in done.stdout.splitlines()[1:]}
        assert users, service
        user = system.user(container)
        assert users == {user}, f"{service}: {done.stdout}"
        assert int(user) > 0, service
        assert user == "10001" or not container["Config"]["Image"].startswith("sightline/"), service


def test_every_container_is_fenced_in(system):
    for service, container in system.containers().items():
        host = container["HostConfig"]
        assert host["ReadonlyRootfs"], service
        assert host["CapDrop"] == ["ALL"], service
        assert not host["CapAdd"], service
        assert "no-new-privileges:true" in host["SecurityOpt"], service
        assert host["Memory"] > 0, service
        assert host["NanoCpus"] > 0, service
        assert 0 < host["PidsLimit"] <= 1024, service
        assert host["RestartPolicy"]["Name"] == "unless-stopped", service
        assert host["LogConfig"]["Config"]["max-size"], service


def test_only_the_documented_ports_are_open_and_only_on_this_machine(system):
    open_ports = {}
    for service, container in system.containers().items():
        for port, bindings in container["NetworkSettings"]["Ports"].items():
            if bindings:
                open_ports[service] = port
                assert {binding["HostIp"] for binding in bindings} == {"127.0.0.1"}, service
    assert open_ports == {service: port for service, port in PUBLISHED.items() if service in system.containers()}


@folder_only
@pytest.mark.parametrize("target", [("redis", 6379), ("qdrant", 6334), ("encoder", 50051)])
def test_the_pages_container_reaches_the_gateway_alone(system, target):
    service, port = target
    networks = system.containers()[service]["NetworkSettings"]["Networks"]
    for host in (service, *(network["IPAddress"] for network in networks.values())):
        done = system.execute("web", "curl", "-s", "-m", "3", f"telnet://{host}:{port}")
        # 6: no such name; 28: no answer; 7: refused.
        assert done.returncode in (6, 7, 28), f"{host}: {done}"
        if host != service:
            with socket.create_connection((host, port), timeout=3):
                pass  # It is there: this machine, which is the networks' router, reaches it.
    assert system.execute("web", "curl", "-fsS", "http://search-gateway:8080/healthz").returncode == 0


@pytest.fixture(scope="module")
def outside():
    if os.geteuid() != 0:
        pytest.skip("only root can make a machine outside of the engine")
    with Outside() as made:
        yield made


def test_nothing_but_what_fetches_models_has_a_way_out(system, outside):
    containers = system.containers()
    # Else nothing would be said by that nobody reaches it.
    assert outside.reached_from(os.getpid())
    reaching = {name for name, container in containers.items() if outside.reached_from(container["State"]["Pid"])}
    # The model `embedded`, which is served here, comes with its image.
    assert reaching == set()


@folder_only
@pytest.mark.parametrize("service", ["redis", "qdrant"])
def test_the_data_stands_on_an_internal_network_of_its_own(system, service):
    networks = system.containers()[service]["NetworkSettings"]["Networks"]
    assert list(networks) == [f"{system.project}_data"]
    described = subprocess.run(
        ["docker", "network", "inspect", "--format", "{{.Internal}}", *networks], capture_output=True, text=True
    )
    assert described.stdout.strip() == "true"


def test_redis_wants_its_password_and_has_no_dangerous_command(system):
    password = system.settings.get("REDIS_PASSWORD", "")
    assert system.execute("redis", "/usr/local/bin/sightline/health").returncode == 0
    asked = system.execute("redis", "env", "-u", "REDISCLI_AUTH", "redis-cli", "ping")
    assert ("NOAUTH" if password else "PONG") in asked.stdout
    for command in ("config get dir", "module list", "debug sleep 0", "save", "acl list", "eval return(1) 0"):
        done = system.execute("redis", "env", f"REDISCLI_AUTH={password}", "redis-cli", *command.split())
        # DEBUG is switched off before anybody's rights are looked at.
        assert "NOPERM" in done.stdout or "command not allowed" in done.stdout, command


def test_no_process_list_shows_a_secret(system):
    secrets = {value for name, value in system.settings.items() if name.endswith(("PASSWORD", "_KEY"))}
    assert secrets
    for service, container in system.containers().items():
        done = subprocess.run(["docker", "top", container["Id"], "-eo", "pid,args"], capture_output=True, text=True)
        shown = done.stdout + str(container["Config"]["Healthcheck"])
        assert not [secret for secret in secrets if secret in shown], service


@folder_only
@pytest.mark.parametrize("service", SERVICES)
def test_a_killed_container_comes_back_and_searches_work_again(system, service):
    kill_and_see_it_come_back(system, service)


def test_down_and_up_keep_every_picture(system):
    before = system.indexed()
    assert len(before) >= 12
    system.compose("down", "--timeout", "40")
    assert system.containers_gone()
    began = time.monotonic()
    system.up()
    wait_for("searches work", lambda: "flower.jpg" in system.found("a flower"))
    print(f"from up to the first search: {time.monotonic() - began:.1f} s")
    assert system.indexed() == before


def test_the_demo_profile_puts_the_sample_pictures_into_the_bucket(system):
    before = system.indexed()
    for _ in range(2):  # The second time they are there.
        system.compose("--profile", "demo", "up", "--build", "--no-deps", "--exit-code-from", "samples", "samples")
    wait_for("a sample is found", lambda: any(key.startswith("samples/") for key in system.found("a bird")))
    wait_for("all are indexed", lambda: not system.get("/ingest")["pending"], 600)
    samples = {key for key in system.indexed() if key.startswith("samples/")}
    # Without them again, as the tests that follow expect it.
    system.bucket.delete_folder("samples")
    system.confirm_loss(len(samples))
    wait_for("no sample is left", lambda: system.indexed() == before)
