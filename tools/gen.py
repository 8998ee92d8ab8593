"""Generates `gen/` from `protos/`: Python stubs with types, and `gen/holdfast.binpb`, the descriptors of everything.

The proto of protovalidate is published on no package registry as a file, so it is taken from the descriptor that the
library itself carries. Every run makes the whole tree anew, so that nothing stale survives.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import google.api
from grpc_tools import protoc
from protovalidate._gen.buf.validate import validate_pb

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
GOOGLE_APIS = Path(next(iter(google.api.__path__))).parent.parent
WELL_KNOWN = Path(protoc.__file__).parent / "_proto"
FOREIGN = [
    *(f"google/protobuf/{name}.proto" for name in ("any", "descriptor", "duration", "field_mask", "timestamp")),
    "google/api/annotations.proto",
    "google/api/httpbody.proto",
]


def descriptor_of_protovalidate() -> bytes:
    """The serialized `FileDescriptorProto` of buf/validate/validate.proto, as the wheel carries it."""
    return bytes(validate_pb._DESC.proto.to_binary())  # noqa: SLF001 - the wheel offers no other way


def describe(protos: Path, scratch: Path) -> Path:
    """The path, in `scratch`, of the descriptors of everything below `protos`, imports and comments included.

    Raises:
        subprocess.CalledProcessError: a proto does not compile; protoc has said why on standard error.
    """
    foreign, described = scratch / "foreign.binpb", scratch / "described.binpb"
    run(f"-I{WELL_KNOWN}", f"-I{GOOGLE_APIS}", f"--descriptor_set_out={foreign}", "--include_imports", *FOREIGN)
    # A FileDescriptorSet is its files, each behind the tag of field 1.
    payload = descriptor_of_protovalidate()
    foreign.write_bytes(foreign.read_bytes() + b"\x0a" + varint(len(payload)) + payload)
    run(f"--descriptor_set_in={foreign}", f"-I{protos}", f"--descriptor_set_out={described}",
        "--include_imports", "--include_source_info", *files(protos))  # fmt: skip
    return described


def files(protos: Path) -> list[str]:
    """The protos below `protos`, by their import paths."""
    return sorted(str(p.relative_to(protos)) for p in protos.rglob("*.proto"))


def generate(out: Path) -> None:
    """Writes the generated tree into `out`, which is made anew.

    Raises:
        subprocess.CalledProcessError: a proto does not compile; protoc has said why on standard error.
    """
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        tree = Path(scratch) / "gen"
        tree.mkdir()
        described = describe(PROTOS, Path(scratch))
        beside = Path(sys.executable).parent
        run(f"--descriptor_set_in={described}", f"--python_out={tree}", f"--grpc_python_out={tree}",
            f"--mypy_out=quiet:{tree}", f"--mypy_grpc_out=quiet,only_async:{tree}",
            f"--plugin=protoc-gen-mypy={beside / 'protoc-gen-mypy'}",
            f"--plugin=protoc-gen-mypy_grpc={beside / 'protoc-gen-mypy_grpc'}",
            "buf/validate/validate.proto", *files(PROTOS))  # fmt: skip
        shutil.copy(described, tree / "holdfast.binpb")
        shutil.rmtree(out, ignore_errors=True)
        tree.rename(out)


def varint(n: int) -> bytes:
    """`n` in protobuf's variable-length encoding."""
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes([*out, n])


def run(*args: str) -> None:
    """Runs protoc with `args`."""
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *args], check=True)


if __name__ == "__main__":
    generate(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "gen")
