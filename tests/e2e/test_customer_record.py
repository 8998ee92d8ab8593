"""The record of one customer as people outside see it: JSON over HTTP, through the edge, across all services."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cli.client import Client
from tests.e2e import samples
from tests.support.mesh import LiveMesh
from tests.support.polling import eventually


class Rest:
    """The REST API with somebody's token."""

    def __init__(self, mesh: LiveMesh, role: str, subject: str) -> None:
        bearer = dict(mesh.bearer(role, subject=subject))
        self.http = httpx.Client(base_url=f"http://{mesh.edge}", headers=bearer, timeout=30)

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        return self._told(self.http.post(path, json=body))

    def get(self, path: str, **query: str) -> dict[str, Any]:
        return self._told(self.http.get(path, params=query))

    def _told(self, answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


@pytest.fixture
def lead(mesh: LiveMesh) -> Iterator[Rest]:
    rest = Rest(mesh, "supervisor", "lead")
    yield rest
    rest.http.close()


@pytest.fixture
def other(mesh: LiveMesh) -> Iterator[Rest]:
    rest = Rest(mesh, "supervisor", "other")
    yield rest
    rest.http.close()


def person(lead: Rest, given: str, family: str, email: str) -> str:
    made = lead.post(
        "/v1/customers",
        customer={
            "individual": {"given_name": given, "family_name": family},
            "contact_media": [{"kind": "KIND_EMAIL", "value": email}],
        },
    )
    return str(made["customer"]["id"])


async def test_two_records_of_a_person_become_one_are_exported_and_erased(lead: Rest, agent: Client) -> None:
    email = f"{uuid.uuid4()}@example.com"
    survivor, duplicate = (person(lead, given, "Quendolin", email) for given in ("Perpetua", "Prepetua"))
    for who, note in ((survivor, "Asked for a quote."), (duplicate, "Complained about the bill.")):
        request = samples.interaction(who)
        request.interaction.note = note
        await agent.interactions.LogInteraction(request, metadata=agent.metadata)
    found = lead.post("/v1/customers:search", text="quendolin perpetua")["found"]
    assert {survivor, duplicate} <= {f["customer"]["id"] for f in found}
    candidates = lead.post("/v1/customers:findDuplicates", customer_id=survivor)["candidates"]
    assert (candidates[0]["customer"]["id"], candidates[0]["verdict"]) == (duplicate, "DUPLICATE_VERDICT_SAME")
    lead.post(f"/v1/customers/{survivor}:merge", duplicate_id=duplicate)

    def contacts(who: str) -> list[str]:
        told = lead.get(f"/v1/customers/{who}/360")
        return sorted(i["note"] for i in told["interactions"].get("interactions", []))

    async def together() -> bool:
        return len(contacts(survivor)) == 2

    await eventually(together, "the contacts of both")
    assert contacts(duplicate) == contacts(survivor)
    # The document is JSON as it is, not a message around it.
    exported = lead.http.get(f"/v1/customers/{duplicate}/export")
    assert exported.headers["content-type"] == "application/json"
    held = json.loads(exported.content)
    assert set(held["services"]) == {"customer_info", "interaction", "retention", "sla"}
    assert {c["id"] for c in held["services"]["customer_info"]["customer"]} == {survivor, duplicate}
    assert all(text in exported.text for text in ("Asked for a quote.", "Complained about the bill.", email))
    lead.post(f"/v1/customers/{duplicate}:unmerge")

    async def apart() -> bool:
        return contacts(duplicate) == ["Complained about the bill."] and contacts(survivor) == ["Asked for a quote."]

    await eventually(apart, "to each its own contacts")
    lead.post(f"/v1/customers/{duplicate}:erase", reason="request of the data subject")

    async def redacted() -> bool:
        return contacts(duplicate) in ([""], ["[erased]"])

    await eventually(redacted, "a contact without its note")
    assert contacts(survivor) == ["Asked for a quote."]
    found = lead.post("/v1/customers:search", text="quendolin prepetua", include_archived=True)["found"]
    assert duplicate not in {f["customer"]["id"] for f in found}
    assert lead.http.get(f"/v1/customers/{duplicate}/export").status_code == 400
    changes = lead.get(f"/v1/customers/{duplicate}/changes")["changes"]
    assert "Quendolin" not in json.dumps(changes)


def test_an_enterprise_is_asked_who_answers_for_what(lead: Rest, other: Rest) -> None:
    firm = lead.post("/v1/customers", customer={"organization": {"trading_name": "Nordwind Logistik GmbH"}})
    who = firm["customer"]["id"]
    holder = person(lead, "Ines", "Verantwort", f"{uuid.uuid4()}@example.com")
    tree = lead.post(f"/v1/customers/{who}/trees", tree={"name": "Departments", "view": "TREE_VIEW_CUSTOMER"})["tree"]
    sales, berlin = str(uuid.uuid4()), str(uuid.uuid4())
    nodes = [{"id": berlin, "parent_id": sales, "name": "Berlin"}, {"id": sales, "name": "Sales"}]
    lead.post(f"/v1/trees/{tree['id']}/nodes", nodes=nodes)
    lead.post(
        f"/v1/customers/{who}/assignments",
        assignment={
            "tree_id": tree["id"],
            "node_id": sales,
            "responsibility": "cost_centre_owner",
            "holder_id": holder,
        },
    )
    path = f"/v1/customers/{who}/nodes/{berlin}/responsibilities"
    answer = lead.get(f"{path}/cost_centre_owner:whoIs")["answer"]
    assert answer["holders"][0]["assignment"]["holderId"] == holder
    assert answer["nodeId"] == sales
    gaps = lead.get(f"/v1/customers/{who}/gaps")["gaps"]
    assert "cost_centre_owner" not in {g["responsibility"] for g in gaps if g["kind"] == "GAP_KIND_NO_HOLDER"}
    assert gaps
    # A cost centre is asked for by one, and approved by another.
    billing = lead.post(
        f"/v1/customers/{who}/accountRequests",
        set_up={
            "kind": "ACCOUNT_KIND_BILLING_ACCOUNT",
            "content": {"name": "All", "number": "4711", "currency_code": "EUR"},
        },
    )["request"]
    refused = lead.http.post(f"/v1/customers/{who}/accountRequests/{billing['id']}:approve", json={})
    assert (refused.status_code, "NOT_APPROVER" in refused.text) == (403, True)
    approved = other.post(f"/v1/customers/{who}/accountRequests/{billing['id']}:approve")
    assert [step["status"] for step in approved["request"]["trail"]][-1] == "ACCOUNT_REQUEST_STATUS_APPLIED"
    found = lead.post("/v1/customers:lookup", account_number="4711")
    assert (found["customer"]["id"], found["matched"]["type"]) == (who, "account")


def test_whether_somebody_may_be_contacted_has_a_reason(lead: Rest) -> None:
    who = person(lead, "Eva", "Einwillig", f"{uuid.uuid4()}@example.com")

    def answer() -> tuple[bool, str]:
        query = {"purpose": "marketing", "channel": "CONTACT_CHANNEL_EMAIL"}
        told = lead.get(f"/v1/customers/{who}:mayContact", **query)["decision"]
        return told.get("allowed", False), told["reason"].removeprefix("CONTACT_REASON_")

    assert answer() == (False, "NO_CONSENT")
    given = {"purpose": "marketing", "basis": "LAWFUL_BASIS_CONSENT"}
    lead.post(f"/v1/customers/{who}/consents", given=given, source={"channel": "store"})
    assert answer() == (True, "ALLOWED_BY_CONSENT")
    lead.post(f"/v1/customers/{who}/doNotContact", do_not_contact={})
    assert answer() == (False, "DO_NOT_CONTACT")
