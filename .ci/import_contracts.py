"""The import contract of this project: a package imports what its row names.

`docs/design.md` has a table of what each package may import, and the contracts
in `pyproject.toml` are that table.  import-linter's own contracts say what a
package must *not* import, so each new package would have to be added to each
of them, and a third-party package that nobody thought of would pass.
"""

import sys
from typing import Any

import grimp
from importlinter import Contract, ContractCheck, fields, output


class OnlyContract(Contract):
    """A package imports itself, what is allowed, and the standard library.

    Configuration:
        source: The package or module that is judged, with all that is in it.
        allowed: Packages and modules that it may import, with all in them, of
            this project or of others.
        apart_from: Modules in ``source`` that a contract of their own judges.
    """

    type_name = "only"

    source = fields.StringField()
    allowed = fields.ListField(subfield=fields.StringField(), required=False)
    apart_from = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        """Collect every import that no row of the table allows."""
        source = str(self.source)
        judged = {source} | (graph.find_descendants(source) if source in graph.modules else set())
        roots = [source, *self._names(self.allowed)]
        foreign = [
            (importer, imported)
            for importer in sorted(judged & graph.modules)
            if not _is_within(importer, self._names(self.apart_from))
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if not _is_within(imported, roots)
            and imported.partition(".")[0] not in sys.stdlib_module_names
        ]
        return ContractCheck(kept=not foreign, metadata={"foreign": foreign})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print the imports that broke the contract."""
        for importer, imported in check.metadata["foreign"]:
            output.print_error(f"{importer} must not import {imported}", bold=True)
        output.new_line()

    @staticmethod
    def _names(field: Any) -> list[str]:
        # The base class replaces each field by its value, None where it is
        # missing, which no type can tell.
        return [str(name) for name in field or ()]


def _is_within(module: str, roots: list[str]) -> bool:
    """Whether a module is one of ``roots`` or lies in one of them."""
    return any(module == root or module.startswith(f"{root}.") for root in roots)
