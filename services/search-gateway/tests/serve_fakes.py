"""Serves fakes with the real server, for tests of processes. Argument: the bucket's folder."""

from __future__ import annotations

import importlib.util
import os
import resource
import sys
import time
from pathlib import Path

FOLDER = Path(sys.argv[1])


def load_conftest():
    """Import conftest.py, which makes gateways on fakes."""
    sys.path.append(str(Path(__file__).parents[3] / "tests"))
    spec = importlib.util.spec_from_file_location("conftest", Path(__file__).with_name("conftest.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules["conftest"] = module
    spec.loader.exec_module(module)
    return module


def main():
    """Serve; the environment has the gateway's settings."""
    conftest = load_conftest()
    from sightline_search_gateway.supervisor import serve
    from sightline_service import configure_logging

    def make_app(settings):
        if os.environ.get("BROKEN"):
            raise RuntimeError("broken")
        world = conftest.World(settings)
        for color in ("red", "green", "blue"):
            world.add(f"colors/{color}.jpg", conftest.picture_bytes(color))
        if size := os.environ.get("BIG_FILE"):
            world.add("big.jpg", b"\xff\xd8\xff" + bytes(int(size)))
        (FOLDER / "workers" / str(os.getpid())).touch()

        def wait():
            (FOLDER / "in-hand").touch()
            while not (FOLDER / "go-on").exists():
                time.sleep(0.02)

        if size := os.environ.get("LARGEST_FILE"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))
        if os.environ.get("SLOW_ENCODER"):
            world.encoder.before = wait
        return world.app

    settings = conftest.settings_with(FOLDER)
    configure_logging(settings.log, "search-gateway")
    return serve(settings, make_app)


if __name__ == "__main__":
    raise SystemExit(main())
