"""What a caller sees of a server that fails, and what the server sees of a caller."""

from __future__ import annotations

import subprocess
import sys

import grpc
import pytest
from sightline_catalogue import (
    Catalogue,
    CatalogueDiskFull,
    CatalogueError,
    CatalogueReadOnly,
    CatalogueSettings,
    CatalogueUnavailable,
    NoCollection,
)

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


@pytest.fixture
def catalogue(qdrant):
    catalogue = Catalogue(qdrant.settings(timeout_seconds=20), "main")
    yield catalogue
    catalogue.close()


def test_a_short_failure_is_retried(qdrant, catalogue):
    qdrant.failures = [UNAVAILABLE] * 3
    with pytest.raises(NoCollection):
        catalogue.current()
    assert len(qdrant.calls) == 4


def test_a_lasting_failure_names_the_server(qdrant, catalogue):
    qdrant.failures = [UNAVAILABLE] * 100
    with pytest.raises(
        CatalogueUnavailable, match=rf"http://127.0.0.1:{qdrant.port} \(QDRANT_URL\) cannot be reached: as requested"
    ):
        catalogue.current()
    assert 1 < len(qdrant.calls) < 20


def test_retries_end_with_the_timeout(qdrant):
    qdrant.failures = [UNAVAILABLE] * 100
    with pytest.raises(CatalogueUnavailable):
        Catalogue(qdrant.settings(timeout_seconds=0.3), "main").current()
    assert len(qdrant.calls) < 5


def test_a_ping_is_not_tried_again(qdrant, catalogue):
    qdrant.failures = [UNAVAILABLE]
    with pytest.raises(CatalogueUnavailable):
        catalogue.ping()
    assert len(qdrant.calls) == 1
    catalogue.ping()


@pytest.mark.parametrize(
    ("code", "error", "message"),
    [
        (grpc.StatusCode.DEADLINE_EXCEEDED, CatalogueUnavailable, "did not answer within 20 s"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, CatalogueUnavailable, "is busy: as requested"),
        (grpc.StatusCode.UNAUTHENTICATED, CatalogueError, "refuses QDRANT_API_KEY"),
        (grpc.StatusCode.PERMISSION_DENIED, CatalogueReadOnly, "allows no write with this QDRANT_API_KEY"),
        (grpc.StatusCode.INTERNAL, CatalogueError, "answered INTERNAL: as requested"),
    ],
)
def test_other_failures_are_not_retried(qdrant, catalogue, code, error, message):
    qdrant.failures = [code]
    with pytest.raises(error, match=message):
        catalogue.current()
    assert len(qdrant.calls) == 1


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "the disk of the database is full: 3 MB are free"),
        (
            grpc.StatusCode.INTERNAL,
            "Service internal error: No space left on device: WAL buffer size exceeds available",
        ),
        (grpc.StatusCode.INVALID_ARGUMENT, "Disk usage has reached 91% of total capacity (max_disk_usage_percent)"),
    ],
)
def test_a_full_disk_is_an_error_of_its_own_and_not_tried_again(qdrant, catalogue, code, said):
    qdrant.failures = [(code, said)]
    with pytest.raises(CatalogueDiskFull, match="the disk of the database is full") as error:
        catalogue.current()
    assert str(error.value).endswith(said)
    assert len(qdrant.calls) == 1


def test_nobody_listening_is_unavailable(qdrant):
    qdrant.server.stop(None).wait()
    with pytest.raises(CatalogueUnavailable, match="QDRANT_URL"):
        Catalogue(qdrant.settings(timeout_seconds=0.3), "main").current()


def test_the_port_of_rest_is_recognised():
    with pytest.raises(CatalogueUnavailable, match="that is the port of REST, gRPC has 6334"):
        Catalogue(CatalogueSettings(url="http://127.0.0.1:6333", timeout_seconds=0.2), "main").ping()


def test_the_key_is_sent_where_there_is_one(qdrant, catalogue):
    catalogue.ping()
    Catalogue(qdrant.settings(api_key="hush"), "main").ping()
    assert [call.get("api-key") for call in qdrant.calls] == [None, "hush"]


def test_the_key_is_not_shown(qdrant):
    assert "hush" not in repr(qdrant.settings(api_key="hush"))


def test_a_closed_catalogue_opens_again(qdrant, catalogue):
    catalogue.ping()
    catalogue.close()
    catalogue.close()
    catalogue.ping()
    assert len(qdrant.calls) == 2


def test_making_a_catalogue_connects_to_nothing_and_using_it_makes_no_rest_call(qdrant):
    """A fresh interpreter that dies of a new thread while it makes one, and of a Python socket ever: REST's."""
    code = """
import sys
from sightline_catalogue import Catalogue, CatalogueSettings
forbidden = {"socket.connect", "socket.getaddrinfo", "_thread.start_new_thread"}
def forbid(event, arguments):
    if event in forbidden:
        raise SystemExit(f"{event} {arguments}")
sys.addaudithook(forbid)
catalogue = Catalogue(CatalogueSettings(url=sys.argv[1]), "main")
forbidden.remove("_thread.start_new_thread")
catalogue.ping()
"""
    subprocess.run([sys.executable, "-c", code, f"http://127.0.0.1:{qdrant.port}"], check=True, timeout=120)
    assert len(qdrant.calls) == 1


def test_answers_come_uncompressed_unless_asked_otherwise(start_qdrant):
    """A node that packs every answer, as Qdrant does for all who can read it."""
    qdrant = start_qdrant(compression=grpc.Compression.Gzip)
    qdrant.aliases = {f"alias {number}": "images-of-something" for number in range(1000)}
    with pytest.raises(CatalogueError, match="not supported: gzip"):
        Catalogue(qdrant.settings(), "main").ping()
    Catalogue(qdrant.settings(compression=True), "main").ping()


def test_a_certificate_of_ones_own_is_trusted_where_it_is_named(start_qdrant, certificate):
    certificate_file, key_file = certificate
    pair = (key_file.read_bytes(), certificate_file.read_bytes())
    qdrant = start_qdrant(credentials=grpc.ssl_server_credentials([pair]))
    url = f"https://localhost:{qdrant.port}"
    Catalogue(CatalogueSettings(url=url, ca_file=certificate_file, api_key="hush"), "main").ping()
    assert qdrant.calls[0]["api-key"] == "hush"
    with pytest.raises(CatalogueUnavailable):
        Catalogue(CatalogueSettings(url=url, timeout_seconds=1), "main").ping()
    elsewhere = CatalogueSettings(url=f"https://127.0.0.1:{qdrant.port}", ca_file=certificate_file, timeout_seconds=1)
    with pytest.raises(CatalogueUnavailable):
        Catalogue(elsewhere, "main").ping()


@pytest.fixture
def certificate(tmp_path):
    """Make a certificate for localhost that is its own authority."""
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run(command, check=True, capture_output=True)
    return files
