"""The correct protocol from here on: which values can still be chosen."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final

from paxos.conformance import restored
from paxos.events import node_key, show
from paxos.explorer.choices import AcceptorStart, ChoiceBounds, Choices, find_choices
from paxos.explorer.rules import accepted_on_disk
from paxos.protocol import (
    Accept,
    Accepted,
    Acceptor,
    Config,
    NodeId,
    Phase,
    Prepare,
    Promise,
    Proposer,
)
from paxos.whatif.bounds import (
    ABSTRACTS,
    SAFE,
    UNKNOWN,
    WRONG,
    Bounds,
    Watch,
    can_begin,
    counted,
    with_known,
)
from paxos.whatif.moment import Moment
from paxos.whatif.present import NodeNow, Now

_INSTANCE: Final = 1
"""The number of the one instance of a search, whatever the run's is."""

_ABSTRACTS: Final = (
    *ABSTRACTS,
    "nobody is told what is chosen, for that only ends what a node does",
    "a new ballot may be as high as it needs to be, whether its proposer knows that or not",
)


def search_choices(moment: Moment, now: Now, bounds: Bounds, watch: Watch | None) -> dict[str, Any]:
    """What a search of choices adds to an answer.

    It looks with no further ballot first, then with one, then with more: what
    fewer show is soon known, and is the answer if more are too many. One ballot
    may be a new client's at a node that has nothing under way, so that it shows
    whether such a client has a chance.
    """
    acceptors = [_acceptor(node, now) for node in now.nodes]
    idle = [
        number
        for node in now.nodes
        if can_begin(node) and (number := node_key(node.name)) not in bounds.beginners
    ]
    done: list[Choices] = []
    found: Choices | None = None
    for ballots in range(bounds.ballots + 1):
        who = (*bounds.beginners, *idle[-1:]) if ballots == 1 else bounds.beginners
        proposers = [one for node in now.nodes if (one := _proposer(node, now, who)) is not None]
        limits = ChoiceBounds(who, bounds.fresh, ballots, bounds.crashes, bounds.limit)
        found = find_choices(acceptors, proposers, limits, watch)
        if not found.complete:
            break
        done.append(found)
    assert found is not None, "with no further ballot at all it was searched"
    values = dict.fromkeys(value for one in (*done, found) for value in one.values)
    two = any(one.two for one in (*done, found))
    any_other = any(value in bounds.fresh for value in values)
    known = [value for value in values if value not in bounds.fresh]
    if any_other:
        known = with_known(known, now)
    # Without a further ballot there is little to say, unless none was asked for.
    is_known = found.complete or len(done) > 1
    sentence = _told_choices(moment, known, any_other=any_other, two=two, complete=found.complete)
    if not found.complete:
        sentence += f"; {_told_limit(len(done), found, bounds)}"
    return {
        "verdict": WRONG if two else SAFE if is_known else UNKNOWN,
        "sentence": sentence,
        "can_choose": [restored(value) for value in known],
        "any_other": any_other,
        "states": found.states,
        "depth": found.depth,
        "complete": found.complete,
        "ballots_searched": len(done) - 1 if done else None,
        "properties": {
            "agreement": "broken" if two else "holds" if is_known else UNKNOWN,
            "chosen": "seen" if values else "never" if is_known else UNKNOWN,
        },
        "abstracts": list(_ABSTRACTS),
    }


def _told_limit(searched: int, found: Choices, bounds: Bounds) -> str:
    """How far the search came, as a clause: with fewer ballots than ``searched`` it saw all."""
    why = "the limit was reached" if found.states > bounds.limit else "the search was stopped"
    after = f"{why}, for {found.states:,} states were not all"
    if not searched:
        return f"even with no further ballot {after}"
    whole = counted(searched - 1, "further ballot")
    return f"all was searched with {whole}, and with {searched} {after}"


def _told_choices(
    moment: Moment, known: list[str], *, any_other: bool, two: bool, complete: bool
) -> str:
    """What can be chosen, in a sentence; what cannot only as far as it is known."""
    chosen = moment.verdict.chosen.get(moment.instance)
    names = [show("value", restored(value)) for value in known]
    # Where the search ended early, what it did not find may be there all the same.
    far = "" if complete else "as far as was searched, "
    if two:
        return "two values can be chosen from here"
    if chosen is not None:
        return (
            f"{show('value', chosen.value)} is chosen, and {far}nothing else can be chosen any more"
        )
    if any_other:
        # Where nobody has asked for anything yet there is no client to be another one than.
        named = f"{', '.join(names)} or any other" if names else "any"
        return f"nothing is chosen yet: {far}{named} client's value can still be, and never two"
    if len(names) == 1:
        return f"nothing is chosen yet, and {far}only {names[0]} can still be"
    if names:
        listed = ", ".join(names[:-1]) + f" or {names[-1]}"
        return f"nothing is chosen yet: {far}{listed} can still be, and never two"
    if not complete:
        return "nothing is chosen, and as far as was searched nothing can be"
    return "nothing is chosen, and within these bounds nothing can be"


def _acceptor(node: NodeNow, now: Now) -> AcceptorStart:
    local = node.start.local
    number = node_key(node.name)
    stored = local.disk.cached
    acceptor = (
        Acceptor(_INSTANCE, stored.promised, stored.accepted)
        if local.memory is None
        else replace(local.memory.acceptor, instance=_INSTANCE)
    )
    told = {
        (envelope.message.ballot, envelope.message.value)
        for envelope in node.start.told
        if isinstance(envelope.message, Accepted)
    }
    pairs = set(accepted_on_disk(local)) | told
    if acceptor.accepted is not None:
        pairs.add((acceptor.accepted.ballot, acceptor.accepted.value))
    requests = dict.fromkeys(
        envelope.message
        for other in now.nodes
        for envelope in (*other.start.network, *other.about_to_send)
        if envelope.to == number and isinstance(envelope.message, Prepare | Accept)
    )
    promises = dict.fromkeys(
        (envelope.to, envelope.message)
        for envelope in (*node.start.network, *node.about_to_send)
        if isinstance(envelope.message, Promise)
    )
    return AcceptorStart(
        number,
        acceptor,
        frozenset(pairs),
        tuple(requests),
        tuple(promises),
        gone=local.refused,
    )


def _proposer(node: NodeNow, now: Now, beginners: Collection[NodeId]) -> Proposer | None:
    """A proposer that may still act, if this is one."""
    local = node.start.local
    memory = local.memory
    number = node_key(node.name)
    if memory is None:
        if number not in beginners:
            return None
        members = tuple(node_key(other.name) for other in now.nodes)
        config = Config(_INSTANCE, number, members, now.accused.settings)
        return Proposer(config, last_round=local.disk.cached.round)
    if memory.learner.learned is not None:
        return None
    busy = memory.proposer.phase is Phase.PREPARING
    return memory.proposer if busy or number in beginners else None
