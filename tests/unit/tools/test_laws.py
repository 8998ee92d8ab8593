"""A law that nothing can break is no law: each kind of breach is found."""

import grimp

from tools.laws import OnlyContract


def contract(**options: str) -> OnlyContract:
    return OnlyContract(name="law", session_options={"root_packages": ["house"]}, contract_options=options)


def house(*imports: tuple[str, str]) -> grimp.ImportGraph:
    graph = grimp.ImportGraph()
    for importer, imported in imports:
        graph.add_module(importer)
        graph.add_module(imported)
        graph.add_import(importer=importer, imported=imported)
    return graph


def test_a_forbidden_import_is_named() -> None:
    law = contract(importers=r".*\.rules", of=r"house\..*", allowed=r".*\.rules")
    check = law.check(house(("house.a.rules", "house.a.store"), ("house.a.rules", "house.b.rules")), verbose=False)
    assert not check.kept
    assert check.metadata["broken"] == [("house.a.rules", "house.a.store")]


def test_imports_of_what_the_law_does_not_speak_of_are_free() -> None:
    law = contract(importers=r".*\.rules", of=r"house\..*", allowed=r".*\.rules")
    assert law.check(house(("house.a.rules", "decimal"), ("house.a.store", "house.b.store")), verbose=False).kept


def test_a_law_that_looks_at_no_module_is_broken() -> None:
    assert not contract(importers=r"nobody\..*", of=r".*").check(house(("house.a", "house.b")), verbose=False).kept
