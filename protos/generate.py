"""Writes the Python package from the .proto files; the only writer of the generated files.

python protos/generate.py           write
python protos/generate.py --check   exit 1 if what is checked in is not what would be written
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent
PROTO = Path("sightline/encoder/v1/encoder.proto")


def generate(target: Path) -> list[Path]:
    """Write the messages, the service and their type stubs below `target`; return the files written."""
    wire_types = files("grpc_tools") / "_proto"
    # Beside this Python, which need not be on the path.
    scripts = Path(sys.executable).parent
    status = protoc.main(
        [
            "protoc",
            f"--proto_path={ROOT}",
            f"--proto_path={wire_types}",
            f"--python_out={target}",
            f"--grpc_python_out={target}",
            f"--plugin=protoc-gen-mypy={scripts / 'protoc-gen-mypy'}",
            f"--plugin=protoc-gen-mypy_grpc={scripts / 'protoc-gen-mypy_grpc'}",
            f"--mypy_out=quiet:{target}",
            f"--mypy_grpc_out=quiet:{target}",
            str(PROTO),
        ]
    )
    if status != 0:
        raise SystemExit(f"protoc failed with status {status}")
    return sorted(target.glob("sightline/encoder/v1/encoder_pb2*"))


def main() -> int:
    """Generate, or compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true", help="only compare with what is checked in")
    arguments = parser.parse_args()
    if not arguments.check:
        for path in generate(ROOT):
            print(path.relative_to(ROOT))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        stale = [
            str(path.relative_to(folder))
            for path in generate(Path(folder))
            if not (checked_in := ROOT / path.relative_to(folder)).is_file()
            or checked_in.read_bytes() != path.read_bytes()
        ]
    if stale:
        print(
            f"not up to date: {', '.join(stale)}; run `make protos` and commit what it writes",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
