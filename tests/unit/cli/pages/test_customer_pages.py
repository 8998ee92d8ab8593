"""The pages of `holdfast customer …`: found, organised, responsible, changed, merged."""

from google.protobuf.struct_pb2 import Value
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1.types_pb2 import Reference
from holdfast.customer_info.v1.customers_pb2 import Customer, CustomerStatus, ExternalId, Individual
from holdfast.customer_info.v1.duplicates_pb2 import DuplicateCandidate, DuplicateEvidence, DuplicateVerdict
from holdfast.customer_info.v1.hierarchy_pb2 import GetSubtreeResponse, Node, NodeKind, Tree, TreeView
from holdfast.customer_info.v1.history_pb2 import Change, FieldChange
from holdfast.customer_info.v1.merges_pb2 import FieldOutcome, MergeRecord, PreviewMergeResponse, Survivorship
from holdfast.customer_info.v1.privacy_pb2 import EraseCustomerResponse
from holdfast.customer_info.v1.responsibilities_pb2 import (
    Assignment,
    Gap,
    GapKind,
    GapReportResponse,
    Holder,
    HolderContact,
    Holders,
    HolderStanding,
    WhoIsResponse,
)
from holdfast.customer_info.v1.search_pb2 import FoundCustomer

from cli.pages import changes, found, merging, organisation, responsibilities
from tests.unit.cli.pages.paper import flat, printed

AT = Timestamp(seconds=1_772_445_600)
ADA = Customer(
    id="0b0e7f0a-5e0c-4a43-9d38-5e9d9cbf7a01",
    individual=Individual(given_name="Ada", family_name="Exa\x1b[31mmple"),
    status=CustomerStatus.CUSTOMER_STATUS_ACTIVE,
    external_ids=[ExternalId(issuer="billing", value="7")],
)


def test_who_was_found_is_told_with_status_and_id_and_no_control_characters() -> None:
    page = printed(found.searched([FoundCustomer(customer=ADA, score=0.9)]))
    assert "\x1b" not in page
    assert f"Ada Exa [31mmple active billing 7 {ADA.id}" in flat(page)


def test_a_duplicate_is_told_with_what_speaks_for_and_against_it() -> None:
    evidence = [
        DuplicateEvidence(field="family_name", code="slip", weight=6.14),
        DuplicateEvidence(field="email", code="differs", weight=-2),
    ]
    same = DuplicateVerdict.DUPLICATE_VERDICT_SAME
    candidate = DuplicateCandidate(customer=ADA, score=0.9996, verdict=same, evidence=evidence)
    page = flat(printed(found.duplicates([candidate]), 140))
    assert "99.9 % same" in page
    assert "family name slip (+6.1), email differs (-2.0)" in page


def test_a_tree_hangs_every_node_below_its_parent() -> None:
    nodes = [
        Node(id="n-1", name="Head office", kind=NodeKind.NODE_KIND_SITE),
        Node(id="n-2", parent_id="n-1", name="IT", kind=NodeKind.NODE_KIND_DEPARTMENT),
        Node(id="n-3", parent_id="n-2", name="4711", kind=NodeKind.NODE_KIND_COST_CENTRE),
    ]
    nodes[2].reference.CopyFrom(Reference(type="account", id="a-1"))
    tree = Tree(id="t-1", name="Cost centres", view=TreeView.TREE_VIEW_CUSTOMER)
    page = printed(organisation.tree(GetSubtreeResponse(tree=tree, nodes=nodes, as_of=AT)))
    assert "Cost centres  the customer's view · t-1" in page
    assert "└── Head office  site · n-1" in page
    assert "        └── 4711  cost centre · n-3 → account a-1" in page
    assert "3 nodes as of 2026-03-02 10:00 UTC" in page


def test_a_part_of_a_tree_is_drawn_from_where_it_begins() -> None:
    part = GetSubtreeResponse(
        tree=Tree(id="t", name="T"), nodes=[Node(id="n-2", parent_id="gone", name="IT")], as_of=AT
    )
    page = printed(organisation.tree(part))
    assert "└── IT" in page
    assert "1 node as of" in page


def test_who_is_responsible_is_told_and_who_is_not_there() -> None:
    holder = Holder(
        assignment=Assignment(start=AT),
        contact=HolderContact(name="Grace Example", email="grace@example.com", phone="+4930123456"),
        standing=HolderStanding.HOLDER_STANDING_REACHABLE,
    )
    answer = WhoIsResponse(
        answer=Holders(responsibility="it_security", holders=[holder], node_name="Head office"),
        dependencies=[Holders(responsibility="budget_owner")],
    )
    page = flat(printed(responsibilities.holders(answer), 140))
    assert "it security Grace Example grace@example.com · +4930123456 reachable Head office 2026-03-02" in page
    assert "budget owner nobody" in page


def test_gaps_are_told_with_where_and_how_many_there_are() -> None:
    gap = Gap(tree_name="Sites", path=["Head office", "IT"], responsibility="it_security", nodes=3)
    gap.kind = GapKind.GAP_KIND_NO_HOLDER
    gap.required = True
    gone = Gap(tree_name="Sites", responsibility="fleet_owner", kind=GapKind.GAP_KIND_LEFT, nodes=9)
    told = GapReportResponse(gaps=[gap, gone], gap_count=6, node_count=9, as_of=AT)
    page = flat(printed(responsibilities.gaps(told), 140))
    assert "it security no holder Sites > Head office > IT required 3" in page
    assert "fleet owner left Sites assigned 9" in page
    assert "and 4 more" in page
    none = flat(printed(responsibilities.gaps(GapReportResponse(node_count=9, as_of=AT))))
    assert none == "No gap. 9 nodes looked at, as of 2026-03-02 10:00 UTC"


def test_a_change_is_told_with_what_was_and_what_is() -> None:
    told = [
        Change(
            kind="customer",
            version=3,
            time=AT,
            by="agent-7",
            channel="call",
            fields=[
                FieldChange(name="language", before=Value(string_value="en"), after=Value(string_value="de")),
                FieldChange(name="contact_media", masked=True),
                FieldChange(name="parent_id", after=Value(string_value="x" * 60)),
            ],
        ),
        Change(kind="product", version=1, time=AT, by="loader"),
        Change(kind="customer", version=2, time=AT, by="dpo", erased=True, unreadable=True),
        Change(kind="customer", version=4, time=AT, by="agent-8", unreadable=True),
    ]
    page = flat(printed(changes.table(told), 160))
    assert 'customer 3 agent-7 (call) language: "en" → "de"; contact media (not shown); parent id: - → "xxx' in page
    assert "product 1 loader made" in page
    assert "customer 2 dpo the person was erased" in page
    assert "customer 4 agent-8 what cannot be read any more" in page


def test_a_preview_warns_of_values_that_will_be_gone() -> None:
    outcomes = [
        FieldOutcome(field="language", keep=Survivorship.SURVIVORSHIP_DUPLICATE, conflict=True),
        FieldOutcome(field="contact_media", keep=Survivorship.SURVIVORSHIP_BOTH),
    ]
    page = flat(printed(merging.preview(PreviewMergeResponse(customer=ADA, outcomes=outcomes))))
    assert "language the duplicate's one of two values will be seen in the history only" in page
    assert "contact media of both" in page


def test_a_merge_says_how_to_undo_it_and_an_erasure_how_much_it_took() -> None:
    record = MergeRecord(survivor_id="s-1", duplicate_id="d-1", merge_time=AT)
    assert "`holdfast customer unmerge d-1` undoes it" in flat(printed(merging.merged(record)))
    gone = EraseCustomerResponse(member_ids=["a", "b"], erase_time=AT)
    assert flat(printed(merging.erased(gone))) == "Erased with all its 2 records at 2026-03-02 10:00 UTC."
