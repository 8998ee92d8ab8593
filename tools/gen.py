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


def descriptor_of_protovalidate() -> bytes:
    """The serialized `FileDescriptorProto` of buf/validate/validate.proto, as the wheel carries it."""
    return bytes(validate_pb._DESC.proto.to_binary())  # noqa: SLF001 - the wheel offers no other way


def generate(out: Path) -> None:
    """Writes the generated tree into `out`, which is made anew.

    Raises:
        subprocess.CalledProcessError: a proto does not compile; protoc has said why on standard error.
    """
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        tree = Path(scratch) / "gen"
        tree.mkdir()
        validate = tree / "validate.binpb"
        well_known = Path(scratch) / "well_known.binpb"
        files = sorted(str(p.relative_to(PROTOS)) for p in PROTOS.rglob("*.proto"))
        names = [f"google/protobuf/{n}.proto" for n in ("descriptor", "duration", "field_mask", "timestamp", "any")]
        run(f"-I{WELL_KNOWN}", f"-I{GOOGLE_APIS}", f"--descriptor_set_out={well_known}", "--include_imports",
            *names, "google/api/annotations.proto")  # fmt: skip
        # A FileDescriptorSet is its files, each behind the tag of field 1.
        payload = descriptor_of_protovalidate()
        validate.write_bytes(well_known.read_bytes() + b"\x0a" + varint(len(payload)) + payload)
        descriptors = Path(scratch) / "all.binpb"
        run(f"--descriptor_set_in={validate}", f"-I{PROTOS}", f"--descriptor_set_out={descriptors}",
            "--include_imports", "--include_source_info", *files)  # fmt: skip
        run(f"--descriptor_set_in={descriptors}", f"--python_out={tree}", f"--grpc_python_out={tree}",
            f"--mypy_out={tree}", f"--mypy_grpc_out=only_async:{tree}",
            f"--plugin=protoc-gen-mypy={Path(sys.executable).parent / 'protoc-gen-mypy'}",
            f"--plugin=protoc-gen-mypy_grpc={Path(sys.executable).parent / 'protoc-gen-mypy_grpc'}",
            "buf/validate/validate.proto", *files)  # fmt: skip
        validate.unlink()
        shutil.copy(descriptors, tree / "holdfast.binpb")
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
