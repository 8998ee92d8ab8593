"""How a customer is organised."""

from holdfast.customer_info.v1.hierarchy_pb2 import GetSubtreeResponse, Node, NodeKind, TreeView
from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree as Drawn

from cli.pages.text import enum_words, minute, plain


def tree(grown: GetSubtreeResponse) -> RenderableType:
    """A tree with its nodes, each with its kind and id."""
    view = enum_words(TreeView.Name(grown.tree.view), "TREE_VIEW_")
    title = Text.assemble((plain(grown.tree.name), "bold"), (f"  the {view}'s view · {plain(grown.tree.id)}", "dim"))
    drawn = Drawn(title, guide_style="bright_black")
    places = {"": drawn}
    for node in grown.nodes:
        # Of a part of a tree, what stands highest has nobody above it here.
        above = places.get(node.parent_id, drawn)
        places[node.id] = above.add(_node(node))
    count = f"{len(grown.nodes):,} node{'' if len(grown.nodes) == 1 else 's'}"
    return Group(drawn, Text(f"{count} as of {minute(grown.as_of)} UTC", style="dim"))


def _node(node: Node) -> Text:
    kind = enum_words(NodeKind.Name(node.kind), "NODE_KIND_")
    what = f" → {plain(node.reference.type)} {plain(node.reference.id)}" if node.HasField("reference") else ""
    return Text.assemble(plain(node.name), (f"  {kind} · {plain(node.id)}{what}", "dim"))
