"""A package whose `__init__` waits until it is needed."""

from __future__ import annotations

import importlib
import sys

import pytest
from sightline_service.deferred_init import defer_init


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The name of a package with a submodule, whose `__init__` is deferred."""
    name = "package_of_the_test"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("from .costly import VALUE\n")
    (folder / "costly.py").write_text("VALUE = 7\n")
    (folder / "cheap.py").write_text("CHEAP = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    defer_init(name)
    yield name
    for loaded in [each for each in sys.modules if each.split(".")[0] == name]:
        del sys.modules[loaded]


def test_a_submodule_is_imported_without_what_the_package_imports(package):
    exec(f"from {package} import cheap", found := {})
    assert found["cheap"].CHEAP == 1
    assert f"{package}.costly" not in sys.modules


def test_a_name_of_the_package_itself_is_there_as_ever(package):
    exec(f"from {package} import VALUE, cheap", found := {})
    assert (found["VALUE"], found["cheap"].CHEAP) == (7, 1)
    with pytest.raises(AttributeError, match="nothing"):
        _ = importlib.import_module(package).nothing


def test_a_package_that_is_imported_already_stays_as_it_is(package):
    exec(f"from {package} import VALUE")
    before = sys.modules[package]
    defer_init(package)
    assert sys.modules[package] is before


def test_a_package_that_is_not_there_is_named():
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        defer_init("no_such_package")
