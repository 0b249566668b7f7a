"""Dropping dead messages: the same verdicts on far fewer states, and tested while it runs."""

from dataclasses import replace

import pytest

from orchestrator.explore import accused_of
from paxos.explorer import ALWAYS, Accused, Model, NotReducible, Tables, explore, reduced
from paxos.explorer.plain import PlainSearch
from paxos.explorer.reduced import ReducedSearch
from paxos.explorer.tables import Envelope
from paxos.protocol import Accepted

ONE_BALLOT = Model(3, 1, 1, 1, whole_steps=True)
WITH_A_CRASH = replace(ONE_BALLOT, crashes=1)
TWO_NODES = Model(2, 2, 1, 2, whole_steps=True)


@pytest.mark.parametrize("model", [ONE_BALLOT, WITH_A_CRASH, TWO_NODES], ids=lambda m: m.bounds)
def test_what_is_left_are_the_model_s_states_without_their_dead_messages(model: Model) -> None:
    """No state is lost and none is added: the reduced set is the image of the whole one."""
    tables = Tables(model, Accused())
    whole = PlainSearch(tables)
    assert whole.run((), 10**6, None).complete
    bare = ReducedSearch(tables)
    assert bare.run((), 10**6, None).complete
    assert {bare.without_dead(state) for state in whole.reached} == set(bare.reached)
    assert len(bare.reached) < len(whole.reached) / 2


@pytest.mark.parametrize("model", [ONE_BALLOT, WITH_A_CRASH, TWO_NODES], ids=lambda m: m.bounds)
def test_verdicts_and_shortest_traces_are_those_of_the_whole_model(model: Model) -> None:
    """A property is seen, or not, and after as many steps."""
    whole = explore(model, engine="plain")
    bare = explore(replace(model, reduced=True))
    assert bare.verdicts == whole.verdicts
    assert {n: len(t) for n, t in bare.traces.items()} == {
        n: len(t) for n, t in whole.traces.items()
    }


def test_pinned_counts() -> None:
    """A changed count is a changed protocol, or a changed reduction."""
    counts = {
        model.bounds: explore(replace(model, reduced=True)).distinct
        for model in (ONE_BALLOT, WITH_A_CRASH)
    }
    assert counts == {ONE_BALLOT.bounds: 221, WITH_A_CRASH.bounds: 2_134}


@pytest.mark.parametrize("name", ["accept-below-promise", "promise-omits-accepted", "one-promise"])
def test_a_broken_protocol_is_caught_as_early_or_not_reduced(name: str) -> None:
    """The reduction hides no planted bug: the same rule breaks at the same depth, or it refuses."""
    accused = accused_of(name)
    model = Model(3, 2, 2, 2, whole_steps=True)
    whole = explore(model, accused, until=ALWAYS)
    assert whole.first_broken is not None
    try:
        bare = explore(replace(model, reduced=True), accused, until=ALWAYS)
    except NotReducible:
        return
    assert bare.first_broken == whole.first_broken
    assert len(bare.traces[bare.first_broken]) == len(whole.traces[whole.first_broken])


def test_a_message_that_is_wrongly_taken_for_dead_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The study's trap: a mere hint hid a bug. Here each dropped message meets the real object."""
    right = reduced._is_done_with

    def wrong(local: object, envelope: Envelope, told: object, *, crashes: bool) -> bool:
        if isinstance(envelope.message, Accepted):
            return True
        return right(local, envelope, told, crashes=crashes)  # type: ignore[arg-type]

    monkeypatch.setattr(reduced, "_is_done_with", wrong)
    with pytest.raises(NotReducible, match="does something"):
        explore(replace(ONE_BALLOT, reduced=True))


def test_an_acceptor_that_forgets_its_promise_is_not_reduced_in_silence() -> None:
    """What counts as dead for the correct protocol is alive here: caught, or refused."""
    model = Model(3, 2, 1, 2, 1, whole_steps=True, reduced=True)
    try:
        found = explore(model, accused_of("promise-forgotten"), until=ALWAYS)
    except NotReducible:
        return
    assert found.first_broken == "R6"
