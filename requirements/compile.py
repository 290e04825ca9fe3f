"""Writes requirements/*.txt: every package that is installed, pinned, with hashes, for every platform.

Run it by `make requirements`, with `--upgrade` for newer versions of what is not pinned. What a package of this
repository needs stands in its pyproject.toml; tools of development, which belong to none, in `*.in`. Each list is
complete, to be installed by `pip install --no-deps --require-hashes -r`; but encoder-torch.txt goes on from encoder.txt
or local.txt, development.txt from those, and benchmarks.txt from all.

PyTorch's family is in torch.txt, without hashes, since its packages differ by build, and is installed by `pip install
-r`: its ordinary build brings the CUDA libraries that it pins itself, its CPU build does without.

`uv pip compile --universal` resolves for all platforms and versions of Python at once, and writes their markers into
one list; pip-compile knows only the machine that it runs on. Whatever installs is pip.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent
TORCH = ("torch", "torchvision")
BROUGHT_BY_TORCH = re.compile(r"(nvidia-|cuda-|triton$)")
OURS = {
    str(tomllib.loads(path.read_text(encoding="utf-8"))["project"]["name"]): path
    for pattern in ("protos", "libs/*", "services/*", "deploy/local")
    for path in sorted(ROOT.glob(f"{pattern}/pyproject.toml"))
}
LISTS = {
    "encoder": ["sightline-encoder"],
    "search-gateway": ["sightline-search-gateway"],
    "ingest-worker": ["sightline-ingest-worker"],
    "qdrant-edge": ["sightline-qdrant-edge"],
}
LISTS["local"] = ["sightline-local", *(name for names in LISTS.values() for name in names)]

Blocks = dict[str, str]
"""The lines of a package, with its hashes, by its name and marker."""


def third_party(requirements: list[str]) -> set[str]:
    """Return what requirements need of others, with what our own packages among them need."""
    found: set[str] = set()
    for requirement in requirements:
        name, _, extras = requirement.rstrip("]").partition("[")
        if name not in OURS:
            found.add(requirement)
            continue
        project = tomllib.loads(OURS[name].read_text(encoding="utf-8"))["project"]
        wanted = list(project["dependencies"])
        for extra in filter(None, extras.split(",")):
            wanted += project["optional-dependencies"][extra]
        found |= third_party(wanted)
    return found


def read_in(name: str) -> list[str]:
    """Return the requirements of NAME.in."""
    lines = (FOLDER / f"{name}.in").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def resolve(requirements: set[str], constraints: list[str], *options: str, keep: tuple[str, ...] = ()) -> Blocks:
    """Return all packages that requirements bring, at the versions in the lists `keep` where those fit."""
    with tempfile.TemporaryDirectory() as temporary:
        given, bounds, output = (Path(temporary) / name for name in ("given.in", "constraints.txt", "output.txt"))
        given.write_text("\n".join(sorted(requirements)), encoding="utf-8")
        bounds.write_text("\n".join(constraints), encoding="utf-8")
        texts = [path.read_text(encoding="utf-8") for name in keep if (path := FOLDER / f"{name}.txt").exists()]
        output.write_text("\n".join(texts), encoding="utf-8")
        subprocess.run(
            [
                str(Path(sys.executable).with_name("uv")),
                *("pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"),
                *("--no-header", "--no-annotate", "--no-emit-index-url", "--constraint", str(bounds)),
                *("--output-file", str(output), *options, str(given)),
            ],
            check=True,
        )
        found = re.findall(r"^(\S.*(?:\n    .*)*)$", output.read_text(encoding="utf-8"), re.MULTILINE)
    return {pin(block): block for block in found}


def pin(block: str) -> str:
    """Return the first line of a block: name, version and marker."""
    return block.splitlines()[0].removesuffix("\\").strip()


def is_of_torch(requirement: str) -> bool:
    """Whether a package is of PyTorch's family."""
    name = re.split(r"[=\s;]", requirement)[0]
    return name in TORCH or bool(BROUGHT_BY_TORCH.match(name))


def write(name: str, blocks: Blocks, said: str) -> None:
    """Write NAME.txt without PyTorch's family."""
    chosen = [block for line, block in sorted(blocks.items()) if not is_of_torch(line)]
    text = "\n".join([f"# Written by `make requirements` from {said}", *chosen, ""])
    (FOLDER / f"{name}.txt").write_text(text, encoding="utf-8")
    print(f"{name}.txt: {len(chosen)} packages")


def main() -> None:
    """Resolve everything together, and hold each list to these versions."""
    tools = {name: read_in(name) for name in ("build", "development", "benchmarks", "infinity")}
    with_torch = third_party(["sightline-encoder[torch]"])
    every = (
        third_party(LISTS["local"])
        | with_torch
        | {line for name in ("build", "development", "benchmarks") for line in tools[name]}
    )
    kept = (
        () if "--upgrade" in sys.argv[1:] else ("build", "local", "encoder-torch", "development", "benchmarks", "torch")
    )
    pins = list(resolve(every, [], keep=kept))
    lists = {name: resolve(third_party(needed), pins) for name, needed in LISTS.items()}
    for name, blocks in lists.items():
        write(name, blocks, "the packages' pyproject.toml")
    models = third_party(["sightline-encoder[embedded]"]) - third_party(["sightline-encoder"])
    write("models", resolve(models, pins, "--no-deps"), "services/encoder/pyproject.toml")
    torch_blocks = resolve(with_torch, pins)
    write(
        "encoder-torch",
        {line: block for line, block in torch_blocks.items() if line not in lists["encoder"]},
        "services/encoder/pyproject.toml",
    )
    torch = [line for line in torch_blocks if re.split("[= ]", line)[0] in TORCH]
    (FOLDER / "torch.txt").write_text(
        "\n".join(["# Written by `make requirements` from services/encoder/pyproject.toml", *torch, ""]),
        encoding="utf-8",
    )
    lists["build"] = resolve({*tools["build"]}, pins)
    write("build", lists["build"], "build.in")
    installed = lists["local"] | torch_blocks | lists["build"]
    for name in ("development", "benchmarks"):
        blocks = resolve({*tools[name], *installed}, pins)
        write(name, {line: block for line, block in blocks.items() if line not in installed}, f"{name}.in")
        installed |= blocks
    # Lives in an environment of its own, whose versions need not agree with ours.
    write("infinity", resolve({*tools["infinity"]}, [], keep=() if not kept else ("infinity", "torch")), "infinity.in")


if __name__ == "__main__":
    main()
