"""The command line itself: help, refusals in one line, exit codes."""

import subprocess
import sys
from pathlib import Path

import jwt
import pytest

from cli import main as entry
from cli.console import CommandError
from cli.mesh.instance import Instance, prepare

HEAVY = ("pymongo", "grpc", "httpx", "cryptography", "rich.table", "google.protobuf")


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["holdfast", *words])
    with pytest.raises(SystemExit) as left:
        entry.main()
    return int(left.value.code or 0)


def test_help_imports_nothing_heavy() -> None:
    check = (
        "import sys\nfrom cli.main import build\nfrom typer.main import get_command\nget_command(build())\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_refusal_is_one_line_on_standard_error_and_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "status") == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.strip().endswith("run `holdfast up`")
    assert printed.err.count("\n") == 1


def test_a_message_of_many_lines_becomes_one() -> None:
    assert str(CommandError("a\n  b\nc")) == "a b c"


@pytest.mark.parametrize(
    "words", [("token", "boss"), ("logs", "nobody"), ("up", "--tls-cert", "x.pem"), ("up", "--port-base", "1")]
)
def test_misuse_leaves_with_two(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: tuple[str, ...]) -> None:
    prepare(Instance(tmp_path / "data"))
    assert run(monkeypatch, *words, "--data", str(tmp_path / "data")) == 2


def test_token_prints_a_token_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    prepare(Instance(tmp_path / "data"))
    words = ("token", "partner", "--partner-id", "p-1", "--subject", "me", "--ttl", "5m")
    assert run(monkeypatch, *words, "--data", str(tmp_path / "data")) == 0
    decoded = jwt.decode(capsys.readouterr().out.strip(), options={"verify_signature": False})
    assert (decoded["sub"], decoded["roles"], decoded["partner_id"]) == ("me", ["partner"], "p-1")


def test_logs_prints_the_last_lines_of_one_member(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    instance = Instance(tmp_path / "data")
    prepare(instance)
    instance.log("sla").write_text("1\n2\n3\n")
    assert run(monkeypatch, "logs", "sla", "-n", "2", "--data", str(instance.data)) == 0
    assert capsys.readouterr().out == "2\n3\n"
