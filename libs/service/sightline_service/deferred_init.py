"""Importing part of a package without what its `__init__` imports."""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec
from types import ModuleType


class _DeferredPackage(ModuleType):
    """A package whose `__init__` runs when a name is asked for that is not one of its submodules."""

    def __getattr__(self, name: str) -> object:
        # `from package import submodule` asks here first, and imports the submodule where there is no such name.
        if name.startswith("__") or find_spec(f"{self.__name__}.{name}"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        self.__class__ = ModuleType  # type: ignore[assignment]
        assert self.__spec__ is not None
        assert self.__spec__.loader is not None
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def defer_init(package: str) -> None:
    """Let submodules of a package be imported without its `__init__`; nothing changes where it has been imported."""
    if package in sys.modules:
        return
    spec = find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    module = module_from_spec(spec)
    module.__class__ = _DeferredPackage
    sys.modules[package] = module
