"""What is generated is what the protos say."""

import filecmp
from pathlib import Path

from tools.gen import ROOT, generate


def test_generating_again_changes_nothing(tmp_path: Path) -> None:
    generate(tmp_path / "gen")
    left = {p.relative_to(ROOT / "gen") for p in (ROOT / "gen").rglob("*") if p.is_file() and p.suffix != ".pyc"}
    right = {p.relative_to(tmp_path / "gen") for p in (tmp_path / "gen").rglob("*") if p.is_file()}
    assert left == right
    different = [p for p in sorted(left) if not filecmp.cmp(ROOT / "gen" / p, tmp_path / "gen" / p, shallow=False)]
    assert not different
