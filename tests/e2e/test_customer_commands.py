"""`holdfast customer …`, `import` and `export`, as their user runs them, through the edge of a live mesh."""

import asyncio
import csv
import json
import re
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from holdfast.customer_info.v1 import hierarchy_pb2, responsibilities_pb2

from cli.client import Client
from tests.support.mesh import LiveMesh

SECONDS = 120
Run = Callable[..., "subprocess.CompletedProcess[str]"]
FAMILY = f"Quandt{''.join(c for c in uuid.uuid4().hex if c.isalpha())}"


@pytest.fixture(scope="module")
def holdfast(mesh: LiveMesh) -> Run:
    """Runs the command line against the mesh."""

    def run(*words: str, answer: str = "") -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "cli.main", *words, "--data", str(mesh.instance.data)]
        return subprocess.run(command, capture_output=True, text=True, input=answer, timeout=SECONDS, check=False)

    return run


@pytest.fixture(scope="module")
def people(holdfast: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A company, and a person who is in the record twice; imported from a file with one bad row."""
    ids = {name: str(uuid.uuid4()) for name in ("company", "one", "two")}
    number = f"+4930{uuid.uuid4().int % 10**8:08d}"
    rows = [
        {"id": ids["company"], "trading_name": f"{FAMILY} Works Ltd", "external_ids": f"billing:{ids['company'][:8]}"},
        {"id": ids["one"], "given_name": "Grace", "family_name": FAMILY, "phone": number, "language": "en"},
        {"id": ids["two"], "given_name": "Grace", "family_name": FAMILY, "phone": number, "language": "de"},
        {"id": "no id", "given_name": "Nobody", "family_name": "Example"},
    ]
    path = tmp_path_factory.mktemp("import") / "people.csv"
    with path.open("w", newline="") as file:
        out = csv.DictWriter(
            file, ["id", "given_name", "family_name", "trading_name", "phone", "language", "external_ids"]
        )
        out.writeheader()
        out.writerows(rows)
    done = holdfast("import", "customers", str(path))
    assert done.returncode == 1, done.stderr
    assert re.search(r"customers\s+4\s+3\s+0\s+0\s+1", done.stdout)
    assert "row 4: id:" in done.stderr
    assert "Nobody" not in done.stderr
    again = holdfast("import", "customers", str(path), "--resume")
    assert "All 4 rows were loaded before." in again.stdout
    return {**ids, "phone": number}


def test_a_customer_is_found_by_name_and_shown_by_any_identifier(holdfast: Run, people: dict[str, str]) -> None:
    found = holdfast("customer", "search", f"{FAMILY[:-1]}x", "grace")
    assert found.returncode == 0, found.stderr
    assert people["one"] in found.stdout
    told = json.loads(holdfast("customer", "search", FAMILY, "grace", "--json").stdout)
    assert {one["customer"]["id"] for one in told["found"]} >= {people["one"], people["two"]}
    for words in ((people["one"],), ("show", people["one"]), (people["company"][:8],)):
        shown = holdfast("customer", *words)
        assert shown.returncode == 0, shown.stderr
        assert FAMILY in shown.stdout
    assert json.loads(holdfast("customer", "--json", people["one"]).stdout)["customerId"] == people["one"]
    nobody = holdfast("customer", "nobody-has-this")
    assert nobody.returncode == 1
    assert "no customer answers to it" in nobody.stderr


def test_trees_holders_and_gaps_are_shown(holdfast: Run, people: dict[str, str], mesh: LiveMesh) -> None:
    node = asyncio.run(organise(mesh, people["company"]))
    tree = holdfast("customer", "tree", people["company"])
    assert tree.returncode == 0, tree.stderr
    assert "Head office" in tree.stdout
    assert node in tree.stdout
    before = holdfast("customer", "tree", people["company"], "--as-of", "2001-01-01")
    assert "0 nodes as of 2001-01-01" in before.stdout
    told = json.loads(holdfast("customer", "tree", people["company"], "--json").stdout)
    assert node in {one["id"] for one in told["nodes"]}
    nobody = holdfast("customer", "tree", str(uuid.uuid4()))
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert "no such customer" in nobody.stderr
    who = holdfast("customer", "who-is", "fleet_owner", node)
    assert who.returncode == 1, who.stderr
    assert "nobody" in who.stdout
    gaps = holdfast("customer", "gaps", people["company"])
    assert gaps.returncode == 1, gaps.stderr
    assert "fleet owner" in gaps.stdout
    told = holdfast("customer", "gaps", people["company"], "--json")
    assert told.returncode == 1
    assert "fleet_owner" in {gap["responsibility"] for gap in json.loads(told.stdout)["gaps"]}
    assert "holders" not in json.loads(holdfast("customer", "who-is", "fleet_owner", node, "--json").stdout)["answer"]
    misused = holdfast("customer", "who-is", "fleet_owner", "somewhere")
    assert misused.returncode == 2


async def organise(mesh: LiveMesh, company: str) -> str:
    """Gives the company a tree of one node, and the operator a responsibility that somebody must have."""
    async with Client(mesh.edge, mesh.token("admin")) as client:
        tree = hierarchy_pb2.Tree(customer_id=company, name="Sites", view=hierarchy_pb2.TREE_VIEW_CUSTOMER)
        wish = hierarchy_pb2.CreateTreeRequest(tree=tree)
        made = (await client.hierarchy.CreateTree(wish, metadata=client.metadata)).tree
        node = hierarchy_pb2.Node(name="Head office", kind=hierarchy_pb2.NODE_KIND_SITE)
        nodes = hierarchy_pb2.AddNodesRequest(tree_id=made.id, nodes=[node])
        added = await client.hierarchy.AddNodes(nodes, metadata=client.metadata)
        fleet = responsibilities_pb2.Responsibility(name="fleet_owner", description="Owns the fleet.", required=True)
        defined = responsibilities_pb2.DefineResponsibilityRequest(responsibility=fleet)
        await client.responsibilities.DefineResponsibility(defined, metadata=client.metadata)
        return added.nodes[0].id


def test_duplicates_are_merged_unmerged_and_their_history_is_told(holdfast: Run, people: dict[str, str]) -> None:
    one, two = people["one"], people["two"]
    found = holdfast("customer", "duplicates", one)
    assert two in found.stdout, found.stderr
    seen = holdfast("customer", "merge", one, two, "--preview")
    assert "language" in seen.stdout, seen.stderr
    refused = holdfast("customer", "merge", one, two, answer="n\n")
    assert refused.returncode == 1
    merged = holdfast("customer", "merge", one, two, "--keep", "language=duplicate", "--yes")
    assert f"customer unmerge {two}" in " ".join(merged.stdout.split()), merged.stderr
    assert one in holdfast("customer", two).stdout
    parted = holdfast("customer", "unmerge", two)
    assert parted.returncode == 0, parted.stderr
    assert "Two customers again" in parted.stdout
    history = holdfast("customer", "history", one)
    assert history.returncode == 0, history.stderr
    assert "language" in history.stdout
    told = json.loads(holdfast("customer", "history", one, "--json", "--limit", "1").stdout)
    assert len(told["changes"]) == 1
    assert told["page"]["nextPageToken"]


def test_everything_held_is_written_and_then_erased(holdfast: Run, people: dict[str, str], tmp_path: Path) -> None:
    two = people["two"]
    out = tmp_path / "everything.json"
    written = holdfast("customer", "export", two, "--out", str(out))
    assert written.returncode == 0, written.stderr
    assert FAMILY in json.dumps(json.loads(out.read_text()))
    assert out.stat().st_mode & 0o777 == 0o600
    kept = holdfast("customer", "erase", two, "--reason", "request of the data subject", answer="something else\n")
    assert kept.returncode == 1
    assert "nothing was erased" in kept.stderr
    gone = holdfast("customer", "erase", two, "--reason", "request of the data subject", answer=f"{two}\n")
    assert gone.returncode == 0, gone.stderr
    assert "Erased" in gone.stdout
    assert FAMILY not in holdfast("customer", two).stdout


def test_what_is_exported_is_imported(holdfast: Run, people: dict[str, str], tmp_path: Path) -> None:
    for form in ("csv", "ndjson"):
        out = tmp_path / f"customers.{form}"
        written = holdfast("export", "customers", "--out", str(out), "--status", "active")
        assert written.returncode == 0, written.stderr
        assert people["one"] in out.read_text()
        loaded = holdfast("import", "customers", str(out))
        assert loaded.returncode == 0, loaded.stderr
        assert re.search(r"customers\s+([\d,]+)\s+0\s+0\s+\1\s+0", loaded.stdout)
    assert people["one"] in holdfast("export", "customers", "--field", "status").stdout
    assert holdfast("export", "customers", "--format", "xlsx").returncode == 2
