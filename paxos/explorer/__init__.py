"""Every schedule of a bounded model, over the very classes that run in containers.

``model``    the bounds;
``node``     one node, and all that can happen to it;
``rules``    R1 to R6, agreement, validity, and what must happen sometimes;
``tables``   nodes as numbers, their steps as rows;
``result``   a search: level after level, what it tells, what it found;
``schedule`` a counterexample as a scenario that any world can play;
``plain``    the engine with the standard library only: the reference;
``arrays``   the engine with numpy: millions of states a second;
``reduced``  a search that forgets messages which can do nothing any more;
``messages`` another model, that of ``Paxos.tla``, whose counts others published.

``docs/exploring.md`` describes the model and how to use it.
"""

from collections.abc import Collection
from importlib.util import find_spec

from paxos.explorer.model import MODELS, VALUES, Accused, Model, ModelError
from paxos.explorer.plain import PlainSearch
from paxos.explorer.reduced import NotReducible, ReducedSearch
from paxos.explorer.result import Ended, Explored, Move, Progress, Search, Trace, Watch
from paxos.explorer.rules import ALWAYS, TITLES
from paxos.explorer.tables import Action, Envelope, Tables

ENGINES = ("plain", "arrays")


def explore(
    model: Model,
    accused: Accused | None = None,
    *,
    engine: str = "",
    until: Collection[str] = (),
    limit: int = 200_000_000,
    watch: Watch | None = None,
) -> Explored:
    """Visit every state of a model, nearest first.

    Args:
        model: the bounds.
        accused: the protocol; the correct one by default.
        engine: ``plain`` or ``arrays``; by default the second where numpy is there.
        until: stop at the level at which one of these properties is broken, or seen.
        limit: stop when more states than this were seen.
        watch: called now and then; the search stops when it returns false.

    Raises:
        ModelError: the engine is not there, or the model too large for it.
        NotReducible: a model without dead messages, and one of them was not dead.
    """
    return search(model, accused, engine).run(until, limit, watch)


def search(model: Model, accused: Accused | None = None, engine: str = "") -> Search:
    """A search that has not begun yet; see :func:`explore`."""
    tables = Tables(model, accused or Accused())
    if model.reduced and engine == "arrays":
        raise ModelError("dead messages are dropped by the plain engine only")
    if model.reduced:
        return ReducedSearch(tables)
    if not engine:
        engine = "arrays" if find_spec("numpy") else "plain"
    if engine == "plain":
        return PlainSearch(tables)
    if engine == "arrays":
        if not find_spec("numpy"):
            raise ModelError("the engine `arrays` needs numpy, which is not installed")
        from paxos.explorer.arrays import ArraySearch  # noqa: PLC0415

        return ArraySearch(tables)
    raise ModelError(f"there is no engine {engine!r}, only {' and '.join(ENGINES)}")


__all__ = [
    "ALWAYS",
    "ENGINES",
    "MODELS",
    "TITLES",
    "VALUES",
    "Accused",
    "Action",
    "Ended",
    "Envelope",
    "Explored",
    "Model",
    "ModelError",
    "Move",
    "NotReducible",
    "Progress",
    "Search",
    "Tables",
    "Trace",
    "Watch",
    "explore",
    "search",
]
