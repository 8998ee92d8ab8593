"""Loading the file into a mesh: idempotent, in batches, with every refusal under its line."""

from datetime import date
from pathlib import Path

import pytest

from cli.client import explained
from cli.console import CommandError
from cli.importing import bulk, telco, telco_mapping
from tests.unit.cli.importing.fake_mesh import SilentBars, fake_mesh, serving
from tests.unit.cli.importing.telco_text import DSL, FIBER, NEW, VOICE_ONLY, changed, written

TODAY = date(2026, 3, 31)


async def test_a_file_is_loaded_whole(tmp_path: Path) -> None:
    mesh, bars = fake_mesh(), SilentBars()
    async with serving(mesh) as client:
        report = await telco.load(client, written(tmp_path, DSL, FIBER, VOICE_ONLY, NEW), bars, TODAY)
    assert (report.rows, report.customers.created, report.outcomes.created) == (4, 4, 4)
    assert report.products.created == len(mesh.products.rows) == 2 + 5 + 1 + 5
    assert report.notes == ["1 row with a blank TotalCharges at tenure 0: read as 0"]
    assert not report.failed
    assert bars.finished == {"telco.csv": True, "retention hears of it": True}


async def test_the_same_file_on_another_day_changes_nothing(tmp_path: Path) -> None:
    mesh, path = fake_mesh(), written(tmp_path, DSL, FIBER, VOICE_ONLY, NEW)
    async with serving(mesh) as client:
        await telco.load(client, path, SilentBars(), TODAY)
        report = await telco.load(client, path, SilentBars(), date(2026, 7, 14))
    for tally in (report.customers, report.products, report.outcomes):
        assert (tally.changed, tally.unchanged) == (0, tally.received)


async def test_bad_rows_stop_no_other(tmp_path: Path) -> None:
    mesh, path = fake_mesh(), written(tmp_path, DSL, changed(FIBER, "tenure", "x"), "a,b", VOICE_ONLY)
    async with serving(mesh) as client:
        report = await telco.load(client, path, SilentBars(), TODAY)
    assert (report.rows, report.bad_rows, report.customers.created) == (4, 2, 2)
    assert [one.line for one in report.problems] == [3, 4]
    assert report.failed


async def test_a_refusal_of_the_mesh_stands_under_the_line_of_the_file(tmp_path: Path) -> None:
    mesh, path = fake_mesh(), written(tmp_path, changed(DSL, "Churn", "?"), FIBER, VOICE_ONLY)
    mesh.customers.refused.add(telco_mapping.customer_id("9305-CDSKC"))
    async with serving(mesh) as client:
        report = await telco.load(client, path, SilentBars(), TODAY)
    assert str(report.problems[-1]) == "line 3: refused by the mesh: id: no (INVALID_FIELD)"
    # What belongs to a customer that is not there is not sent.
    assert {product.customer_id for product in mesh.products.rows.values()} == {  # type: ignore[attr-defined]
        telco_mapping.customer_id("7469-LKBCI")
    }
    assert report.failed


async def test_many_rows_go_in_batches(tmp_path: Path) -> None:
    mesh = fake_mesh()
    lines = [changed(DSL, "customerID", f"{n:04}-MANY") for n in range(1_201)]
    async with serving(mesh) as client:
        report = await telco.load(client, written(tmp_path, *lines), SilentBars(), TODAY)
    assert report.customers.created == 1_201
    assert mesh.customers.largest <= bulk.BATCH
    assert mesh.products.largest <= bulk.BATCH


async def test_a_mesh_that_does_not_answer_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    async with serving(fake_mesh()) as client:
        pass
    with pytest.raises(CommandError, match="run `holdfast up`"), explained():
        await telco.load(type(client)(client.target, "token"), written(tmp_path, DSL), SilentBars(), TODAY)
