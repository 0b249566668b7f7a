"""A broken variant's source with a person's edits in it, compiled.

Only the person's own tab runs this, on what that person typed: a handler never
comes out of a link.
"""

import ast
import inspect
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from enum import StrEnum
from types import FunctionType
from typing import Any, Final

from paxos.parts import parts_of
from paxos.protocol import ROLES, Settings
from paxos.sandbox.recipe import SandboxError
from paxos.simulator.parts import Parts
from paxos.storage import KEEPING
from paxos.variants import Variant

FILE: Final = "<your handler>"
"""Stands for a file's name where an error says its line."""
MOST_SOURCE: Final = 50_000

_FUTURE: Final = "from __future__ import annotations"


def repaired_parts(variant: Variant, source: str) -> Parts:
    """What a variant runs, with edited functions in place of its own.

    Args:
        variant: what is to be repaired.
        source: functions, or a whole class, as they stand in the variant's file; of
            a variant that changes settings alone, those settings (``backoff = True``).

    Raises:
        SandboxError: it cannot be compiled, or replaces nothing; with the line.
    """
    if not _pieces(variant):
        return replace(parts_of(variant.name), settings=_edited_settings(variant, source))
    module, owner = _home(variant)
    tree = _parsed(source)
    namespace = _names_for(module, owner)
    own = ast.parse(inspect.getsource(module))
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            _check_name(node, variant, own, owner)
    _check_that_it_replaces(tree, variant, own, None if owner is None else getattr(module, owner))
    body = _merged(own, tree, owner)
    code = compile(body, FILE, "exec", dont_inherit=True)
    try:
        exec(code, namespace)  # noqa: S102 - the person's own code, in the person's own tab
    except BaseException as error:
        # What ends a program elsewhere, such as SystemExit, must not end the tab's Python.
        raise SandboxError(told(error)) from error
    return _parts(variant, module.__name__, namespace)


def told(error: BaseException) -> str:
    """What went wrong in an edited handler, with its line there."""
    line = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILE:
            line = trace.tb_lineno
        trace = trace.tb_next
    where = "Your handler fails" if line is None else f"line {line} of your handler fails"
    text = " ".join(str(error).split())
    return (
        f"{where}: {type(error).__name__}: {text}" if text else f"{where}: {type(error).__name__}"
    )


def _pieces(variant: Variant) -> dict[str, Any]:
    """The classes and functions that the variant puts in place of the correct ones, by field."""
    found: dict[str, Any] = {}
    for field in fields(variant.roles):
        piece = getattr(variant.roles, field.name)
        if piece is not getattr(ROLES, field.name):
            found[field.name] = piece
    for name in ("format", "open", "copy"):
        piece = getattr(variant.keeping, name)
        if piece is not getattr(KEEPING, name):
            found[name] = piece
    return found


def _home(variant: Variant) -> tuple[Any, str | None]:
    """The module of what is broken, and the class in it, if it is one."""
    first: Any = next(iter(_pieces(variant).values()))
    owner = first.__name__ if isinstance(first, type) else None
    if variant.shown is not None:
        parts = variant.shown[1].__qualname__.split(".")
        owner = parts[0] if len(parts) > 1 else None
    return sys.modules[first.__module__], owner


def _names_for(module: Any, owner: str | None) -> dict[str, Any]:
    """The names that an edit may use: the variant's own module's, and those of the correct class."""
    found: dict[str, Any] = {}
    if owner is not None:
        for above in reversed(getattr(module, owner).__mro__):
            if above.__module__.startswith("paxos."):
                found |= vars(sys.modules[above.__module__])
    found |= vars(module)
    return found


def _parsed(source: str) -> ast.Module:
    if len(source) > MOST_SOURCE:
        raise SandboxError(f"a handler has at most {MOST_SOURCE:,} characters")
    try:
        tree = ast.parse(inspect.cleandoc("\n" + source) + "\n", FILE)
    except SyntaxError as error:
        # Of some, such as one that holds a NUL, Python names no line.
        where = "" if error.lineno is None else f"line {error.lineno}: "
        raise SandboxError(f"{where}this is no Python: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise SandboxError(f"this is no Python: {error}") from error
    allowed = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
    for node in tree.body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if not isinstance(node, allowed):
            raise SandboxError(f"line {node.lineno}: a handler is made of functions or a class")
    if not any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree.body):
        raise SandboxError("there is no function here, and so nothing is repaired")
    return tree


def _edited_settings(variant: Variant, source: str) -> dict[str, Any]:
    """The settings of a variant with a person's values in place of its own."""
    found = dict(variant.settings)
    names = " and ".join(found)
    try:
        tree = ast.parse(source[:MOST_SOURCE])
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SandboxError(f"write {names} as it stands there, a setting a line") from error
    for node in tree.body:
        match node:
            case ast.Assign([ast.Name(name)], ast.Constant(value)) if name in found:
                pass
            case ast.Assign([ast.Name(name)], ast.Name(value)) if name in found:
                pass
            case _:
                raise SandboxError(
                    f"line {node.lineno}: {variant.name} changes {names} and nothing else; "
                    "write it as it stands there"
                )
        found[name] = _setting(name, value, node.lineno)
    return found


def _setting(name: str, value: object, line: int) -> object:
    """A value for a setting of the core; that of an enumeration by its text."""
    kind = type(getattr(Settings(), name))
    if issubclass(kind, StrEnum):
        if value in list(kind):
            return kind(str(value))
        raise SandboxError(f"line {line}: {name} is {' or '.join(kind)}, not {value}")
    if type(value) is not kind:
        raise SandboxError(f"line {line}: {name} is written like {getattr(Settings(), name)}")
    return value


def _check_name(
    node: ast.ClassDef | ast.FunctionDef, variant: Variant, own: ast.Module, owner: str | None
) -> None:
    """Whether a function or class takes the place of something, or helps one that does."""
    if isinstance(node, ast.ClassDef) and owner is not None and node.name != owner:
        names = {part.name for part in own.body if isinstance(part, ast.ClassDef)}
        if node.name not in names:
            raise SandboxError(
                f"line {node.lineno}: {variant.name} has no class {node.name!r}; it is {owner}"
            )


def _check_that_it_replaces(
    tree: ast.Module, variant: Variant, own: ast.Module, owner: type | None
) -> None:
    """Whether any of the functions is one that the core calls; the others help that one."""
    named = [node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    known = {node.name: node for node in own.body if isinstance(node, ast.ClassDef)}
    alone = [node.name for node in own.body if isinstance(node, ast.FunctionDef)]
    methods = [] if owner is None else dir(owner)
    if any(node.name in {*known, *alone, *methods} for node in named):
        return
    names = list(dict.fromkeys(piece.__name__ for piece in _pieces(variant).values()))
    if owner is not None:
        names = [
            part.name for part in known[owner.__name__].body if isinstance(part, ast.FunctionDef)
        ]
    raise SandboxError(
        f"line {named[0].lineno}: nothing calls {named[0].name!r}, so it repairs nothing; "
        f"what is broken here is {' and '.join(names)}: keep that name"
    )


def _merged(own: ast.Module, edited: ast.Module, owner: str | None) -> ast.Module:
    """The edits first as they stand, then the class and the functions around them, anew."""
    classes = {node.name: node for node in own.body if isinstance(node, ast.ClassDef)}
    known = {node.name for node in own.body if isinstance(node, ast.FunctionDef)}
    methods: list[ast.FunctionDef] = []
    body: list[ast.stmt] = list(ast.parse(_FUTURE).body)
    for node in edited.body:
        # A function that stands alone in the file stays alone; any other is one of the class.
        if isinstance(node, ast.FunctionDef) and owner is not None and node.name not in known:
            methods.append(node)
        elif isinstance(node, ast.ImportFrom) and node.module == "__future__":
            continue
        else:
            body.append(node)
    if methods:
        assert owner is not None, "only a class has methods"
        whole = classes[owner]
        names = {method.name for method in methods}
        kept = [part for part in whole.body if getattr(part, "name", None) not in names]
        whole.body = [*kept, *methods]
        body.append(whole)
    return ast.fix_missing_locations(ast.Module(body, []))


def _parts(variant: Variant, module: str, namespace: dict[str, Any]) -> Parts:
    """The variant's parts, each as it is in the namespace with the edits."""

    def current(piece: Any) -> Any:
        if piece.__module__ != module:
            return piece
        found = namespace[piece.__name__]
        if isinstance(found, FunctionType) and found.__globals__ is not namespace:
            # It may call what was edited.
            found = FunctionType(found.__code__, namespace, found.__name__, found.__defaults__)
        return found

    pieces: dict[str, Callable[..., Any]] = _pieces(variant)
    roles = {name: current(piece) for name, piece in pieces.items() if hasattr(ROLES, name)}
    keeping = {name: current(piece) for name, piece in pieces.items() if hasattr(KEEPING, name)}
    for name, piece in list(namespace.items()):
        # And what those call in turn.
        if isinstance(piece, FunctionType) and piece.__module__ == module:
            namespace[name] = current(piece)
    return Parts(
        replace(variant.roles, **roles),
        replace(variant.keeping, **keeping),
        dict(variant.settings),
        variant.name,
    )
