"""The main job as its user runs it: `holdfast demo`, `import telco`, `model train`, `customer`."""

import csv
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.importing.telco_rows import COLUMNS
from tests.support.mesh import LiveMesh, start_mesh

SECONDS = 240
IDS = [f"{n:04d}-TELCO" for n in range(160)]


@pytest.fixture(scope="module")
def own_mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveMesh]:
    """A mesh that holds nothing but what these tests load."""
    running = start_mesh(tmp_path_factory.mktemp("demo"))
    yield running
    running.down()


def holdfast(mesh: LiveMesh, *words: str) -> "subprocess.CompletedProcess[str]":
    """Runs the command line against `mesh`."""
    command = [sys.executable, "-m", "cli.main", *words, "--data", str(mesh.instance.data)]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)


def write_telco(path: Path) -> None:
    """A file of the shape of IBM's, made up: who pays from month to month leaves more often."""
    dice = random.Random(5)
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, COLUMNS)
        out.writeheader()
        for n, customer_id in enumerate(IDS):
            monthly = n % 2 == 0
            tenure = 0 if n == 0 else dice.randint(1, 72)
            leaves = dice.random() < (0.5 if monthly else 0.1) and tenure > 0
            row = dict.fromkeys(COLUMNS, "No") | {
                "customerID": customer_id,
                "SeniorCitizen": str(n % 5 // 4),
                "tenure": str(tenure),
                "PhoneService": "Yes",
                "InternetService": "Fiber optic" if n % 3 else "DSL",
                "Contract": "Month-to-month" if monthly else "Two year",
                "PaymentMethod": "Electronic check",
                "MonthlyCharges": "70.5",
                "TotalCharges": f"{70.5 * tenure:.2f}" if tenure else " ",
                "Churn": "Yes" if leaves else "No",
            }
            out.writerow(row)


def test_a_telco_file_is_loaded_once_a_model_is_trained_and_every_customer_has_a_score(
    own_mesh: LiveMesh, tmp_path: Path
) -> None:
    file = tmp_path / "telco.csv"
    write_telco(file)
    first = holdfast(own_mesh, "import", "telco", str(file))
    assert first.returncode == 0, first.stdout + first.stderr
    assert re.search(r"customers\s+160\s+160\s+0\s+0\s+0", first.stdout), first.stdout
    assert "TotalCharges" in first.stdout, "the blank total is told of"
    second = holdfast(own_mesh, "import", "telco", str(file))
    assert re.search(r"customers\s+160\s+0\s+0\s+160\s+0", second.stdout), second.stdout
    assert re.search(r"products\s+(\d+)\s+0\s+0\s+\1\s+0", second.stdout), second.stdout
    assert re.search(r"outcomes\s+160\s+0\s+0\s+160\s+0", second.stdout), second.stdout
    trained = holdfast(own_mesh, "model", "train")
    assert trained.returncode == 0, trained.stdout + trained.stderr
    page = holdfast(own_mesh, "customer", IDS[2])
    assert page.returncode == 0, page.stdout + page.stderr
    assert IDS[2] in page.stdout
    assert "month-to-month" in page.stdout
    assert re.search(r"will leave \d", page.stdout), page.stdout


def test_a_wrong_cell_is_named_by_line_and_column_and_stops_no_other_row(own_mesh: LiveMesh, tmp_path: Path) -> None:
    file = tmp_path / "telco.csv"
    write_telco(file)
    lines = file.read_text().splitlines()
    lines[3] = lines[3].replace("70.5", "a lot", 1)
    file.write_text("\n".join(lines) + "\n")
    answer = holdfast(own_mesh, "import", "telco", str(file))
    assert answer.returncode == 1
    assert "line 4, MonthlyCharges" in answer.stderr
    assert "1 of them wrong" in answer.stdout
    assert re.search(r"customers\s+159\s+0\s+0\s+159\s+0", answer.stdout), answer.stdout


def test_the_demo_shows_the_customer_most_at_risk_and_a_second_run_loads_nothing(own_mesh: LiveMesh) -> None:
    pages = []
    for _ in range(2):
        shown = holdfast(own_mesh, "demo", "--customers", "200")
        assert shown.returncode == 0, shown.stdout + shown.stderr
        pages.append(shown.stdout)
    assert "will leave" in pages[0]
    assert "holdfast down" in pages[0]
    rows = re.findall(r"^(\w+)\s+([\d,]+)\s+([\d,]+)\s+([\d,]+)\s+([\d,]+)\s+([\d,]+)\s*$", pages[1], re.MULTILINE)
    assert {r[0] for r in rows} >= {"customers", "products", "tickets", "interactions", "outcomes"}
    for name, received, created, updated, unchanged, failed in rows:
        assert (created, updated, failed) == ("0", "0", "0"), name
        assert received == unchanged
    told = [re.findall(r"^│ id\s+(\S+)", page, re.MULTILINE) for page in pages]
    assert len(told[0]) == 1
    assert told[0] == told[1]


def test_an_unknown_customer_gets_one_line(own_mesh: LiveMesh) -> None:
    answer = holdfast(own_mesh, "customer", "no-such-id")
    assert answer.returncode == 1
    assert len(answer.stderr.strip().splitlines()) == 1
