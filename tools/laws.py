"""The laws of the house that import-linter has no contract for: who may import what, by the names of modules."""

import re
from typing import Any

from importlinter import Contract, ContractCheck, fields, output


class OnlyContract(Contract):
    """Modules that match `importers` may import, of what matches `of`, only what matches `allowed`.

    All three are regular expressions over whole module names; `unless`, where given, exempts importers. Direct imports
    only: what an allowed module imports is its own affair.
    """

    importers = fields.StringField()
    of = fields.StringField()
    allowed = fields.StringField(required=False, default="(?!)")
    unless = fields.StringField(required=False, default="(?!)")

    def check(self, graph: Any, verbose: bool) -> ContractCheck:
        """Looks at every import of every matching module."""
        matching = [
            m
            for m in sorted(graph.modules)
            if re.fullmatch(str(self.importers), m) and not re.fullmatch(str(self.unless), m)
        ]
        broken = [
            (importer, imported)
            for importer in matching
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if re.fullmatch(str(self.of), imported) and not re.fullmatch(str(self.allowed), imported)
        ]
        output.verbose_print(verbose, f"{len(matching)} modules looked at")
        return ContractCheck(kept=bool(matching) and not broken, metadata={"broken": broken, "matching": matching})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Names each import that breaks the law."""
        if not check.metadata["matching"]:
            output.print_error("no module matches: the law looks at nothing")
        for importer, imported in check.metadata["broken"]:
            output.print_error(f"{importer} imports {imported}")
