"""Generates the stubs beside this file from ``proto/``, or checks them against it.

    python -m node.wire.generate           writes them
    python -m node.wire.generate --check   exit 1 and the names of those that differ

Needs grpcio-tools and mypy-protobuf, which only developers install. The path
of a ``.proto`` file, not its package, names the Python module, so that what
protoc writes lands in this package as it is.
"""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
PATTERN = "*_pb2*"


def generate(target: Path) -> None:
    """Write every stub below ``target``, at ``node/wire/``."""
    from grpc_tools import protoc  # noqa: PLC0415 - only developers have it

    # protoc finds its plugins on PATH: those of this interpreter come first.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    sources = sorted((ROOT / "proto").rglob("*.proto"))
    status = protoc.main(
        [
            "protoc",
            f"--proto_path={ROOT / 'proto'}",
            f"--python_out={target}",
            f"--grpc_python_out={target}",
            f"--mypy_out=quiet:{target}",
            f"--mypy_grpc_out=quiet:{target}",
            *(str(source) for source in sources),
        ]
    )
    if status != 0:
        raise SystemExit(f"protoc ended with exit code {status}")


def differing() -> list[str]:
    """The names of stubs that are missing, left over or not what ``proto/`` gives."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        fresh = {
            path.name: path.read_bytes() for path in (Path(folder) / "node" / "wire").glob(PATTERN)
        }
    committed = {path.name: path.read_bytes() for path in HERE.glob(PATTERN)}
    return sorted(
        name for name in fresh.keys() | committed.keys() if fresh.get(name) != committed.get(name)
    )


def main(arguments: list[str]) -> int:
    """Do what the command line says; returns the exit code."""
    if arguments == ["--check"]:
        names = differing()
        for name in names:
            print(f"node/wire/{name} is not what proto/ gives: run make stubs")  # noqa: T201 - the answer
        return 1 if names else 0
    if arguments:
        print("usage: python -m node.wire.generate [--check]", file=sys.stderr)  # noqa: T201 - the answer
        return 2
    for path in HERE.glob(PATTERN):
        path.unlink()
    generate(ROOT)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
