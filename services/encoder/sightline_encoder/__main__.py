"""Entry point of `sightline-encoder`."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

from sightline_service import configure_logging, load_settings
from sightline_service.parent_death import die_with_parent
from sightline_service.tracing import flush_traces, set_up_tracing

from sightline_encoder.bootstrap import bootstrap, load_models
from sightline_encoder.errors import StartupError
from sightline_encoder.settings import EncoderSettings


def main() -> None:
    """Serve, or with --prepare only load the models."""
    parser = argparse.ArgumentParser(
        prog="sightline-encoder",
        description="Turns texts and images into vectors, over gRPC.",
        epilog="Settings are environment variables; services/encoder/README.md lists them.",
    )
    parser.add_argument(
        "--prepare", action="store_true", help="convert or compute what is kept of the models, try them, and exit"
    )
    parser.add_argument("--parent", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.parent is not None:
        # Ctrl-C in a terminal reaches every process of the group; the parent ends this one if it wants to.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        die_with_parent(arguments.parent)
    settings = load_settings(EncoderSettings)
    configure_logging(settings.log, "encoder")
    try:
        if arguments.prepare:
            for _ in load_models(settings, convert=None):
                pass
        else:
            set_up_tracing(settings.tracing, "encoder")
            asyncio.run(bootstrap(settings).run())
    except StartupError as error:
        print(f"sightline-encoder: {error}", file=sys.stderr)
        code = 2
    else:
        code = 0
    # Not sys.exit: while native code still loads a model in a thread, the interpreter's shutdown would crash.
    flush_traces()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
