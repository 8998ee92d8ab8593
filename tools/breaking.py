"""Refuses a change of the contracts that breaks who speaks them: `buf breaking` against the last tag, or against main.

With no tag, and on main itself, the comparison is with the last commit. A first commit has nothing to break.
"""

import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

from tools.gen import ROOT, describe


def base() -> str:
    """The revision that the contracts must stay compatible with; empty: there is none."""
    for command in (["describe", "--tags", "--abbrev=0"], ["rev-parse", "--verify", "--quiet", "main"]):
        found = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=False)
        if found.returncode == 0 and found.stdout.strip():
            return found.stdout.strip()
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip() if found.returncode == 0 else ""


def main() -> int:
    """The exit code of the comparison."""
    revision = base()
    if not revision:
        print("breaking: there is no earlier version to compare with")
        return 0
    archive = subprocess.run(["git", "archive", revision, "protos"], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        print(f"breaking: {revision} has no protos")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        with tarfile.open(fileobj=BytesIO(archive.stdout)) as tar:
            tar.extractall(scratch, filter="data")
        before = describe(Path(scratch) / "protos", Path(scratch))
        buf = str(Path(sys.executable).parent / "buf")
        command = [buf, "breaking", "gen/holdfast.binpb", "--against", str(before), "--config", "buf.yaml"]
        return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
