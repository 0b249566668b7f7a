"""What the tests of the explorer share: models by their bounds, and variants as it takes them."""

from dataclasses import replace

from paxos.explorer import Accused, Model
from paxos.explorer.plain import PlainSearch
from paxos.explorer.tables import Tables
from paxos.protocol import Settings
from paxos.variants import Size, load


def accused_of(name: str | None) -> Accused:
    """The correct protocol, or a broken variant by its name."""
    if name is None:
        return Accused()
    variant = load(name)
    settings = replace(Settings(own_ballots=False), **variant.settings)
    return Accused(variant.roles, settings, variant.keeping.faults, name)


def model_of(size: Size, *, whole_steps: bool = True) -> Model:
    """The model of a size at which the gallery says something."""
    return Model(
        size.nodes,
        size.proposing,
        size.values,
        size.ballots,
        size.crashes,
        size.disk_faults,
        whole_steps,
    )


def visited(model: Model, variant: str | None = None) -> PlainSearch:
    """The plain engine after it has visited every state: they are in its ``reached``."""
    search = PlainSearch(Tables(model, accused_of(variant)))
    assert search.run((), 10**6, None).complete
    return search
