"""One node of the model, and all that can happen to it.

A node is its memory (the real :class:`paxos.protocol.Instance`), the effects
that it has not carried out yet, and its disk. Each function takes a
:class:`Local` and returns the next one; none changes anything, and none looks
at another node. What the node has *sent* is kept beside it
(:mod:`paxos.explorer.tables`), for the network is the set of all messages
ever sent.

What is left out, because no message and no record depends on it: timers (a
model starts ballots whenever it likes), clients' answers, ``Status`` and
``Learned`` (they only bring on, or stop, that a ``Learn`` is sent again, and a
message of the set can arrive again and again as it is), and the fields that
serve them alone.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from typing import Any, Final

from paxos.explorer.model import INSTANCE, Accused, Model
from paxos.protocol import (
    Accept,
    Ballot,
    Effect,
    Instance,
    Learned,
    Learner,
    NodeId,
    Persist,
    Phase,
    Promise,
    Proposer,
    ProposeRequested,
    Received,
    Report,
    RoundRecord,
    Send,
    Status,
    Stored,
    TimeoutFired,
    Timer,
)
from paxos.protocol.messages import Message
from paxos.storage import CorruptRecord, FailedSync, LostDisk, Synced, TornRecord

Pair = tuple[Ballot, str]


@dataclass(frozen=True, slots=True)
class Disk:
    """What a node's disk holds.

    Attributes:
        durable: what a power loss leaves.
        cached: what a kill leaves: the same, with what was not synced yet.
        older: what a storage that heals damage in silence would fall back
            on; kept only where some variant does.
    """

    durable: Stored = field(default_factory=Stored)
    cached: Stored = field(default_factory=Stored)
    older: Stored | None = None


@dataclass(frozen=True, slots=True)
class Ghost:
    """What the rules must remember and no handler can read.

    Attributes:
        accepted: pairs that were durable here once and are not on the disk
            any more. (Those that were told in an ``Accepted`` follow from
            that, and are left out: see ``tables``.)
        kept: what was durable last, where a fault of the disk or a broken
            storage has taken it since; ``None`` where the disk still holds it.
        unheeded: Promises of the ballot under way that arrived, and that the
            proposer does not count.
        unheard: what the proposer counts, and no Promise of that ballot said.
    """

    accepted: frozenset[Pair] = frozenset()
    kept: Stored | None = None
    unheeded: frozenset[Report] = frozenset()
    unheard: frozenset[Report] = frozenset()


NO_GHOST = Ghost()


@dataclass(frozen=True, slots=True)
class Local:
    """All of a node but what it has sent.

    Attributes:
        memory: ``None`` while its process is down.
        pending: the effects of its last step that are still to be carried
            out; only ``Persist`` and ``Send`` are kept.
        disk: what outlives the process.
        ghost: for the rules.
        refused: whether its storage refused to start; then it stays down.
    """

    memory: Instance | None
    pending: tuple[Persist | Send, ...] = ()
    disk: Disk = field(default_factory=Disk)
    ghost: Ghost = NO_GHOST
    refused: bool = False

    def key(self) -> Hashable:
        """What tells two states of one node apart: all but what is the same in each of them."""
        memory = self.memory
        roles: Hashable = None
        if memory is not None:
            roles = (
                memory.acceptor,
                _without_config(memory.proposer),
                _without_config(memory.learner),
            )
        return roles, self.pending, self.disk, self.ghost, self.refused


def _without_config(role: Proposer | Learner) -> tuple[Hashable, ...]:
    values = _VALUES.get(type(role))
    if values is None:
        # All fields of the class, whatever a broken one may have added.
        names = [field.name for field in fields(role) if field.name != "config"]
        values = _VALUES[type(role)] = attrgetter(*names)
    return values(role)


_VALUES: Final[dict[type, Callable[[Any], Any]]] = {}


def newborn(model: Model, accused: Accused, node_id: NodeId) -> Local:
    """A node that was formatted and started, and has done nothing yet."""
    return Local(
        Instance.new(INSTANCE, node_id, model.members, accused.settings, accused.roles),
        disk=Disk(older=Stored() if accused.faults.corrupt is CorruptRecord.OLDER else None),
    )


def as_found(memory: Instance | None, awaited: Iterable[Effect], disk: Disk, ghost: Ghost) -> Local:
    """A node as something else than this model has left it.

    Args:
        memory: ``None`` while it is down.
        awaited: the effects of its last step that it has not carried out yet.
        disk: what outlives its process.
        ghost: what the rules remember.
    """
    known = None if memory is None else _projected(memory)
    return _without_idle_ghost(Local(known, tuple(_kept(awaited)), disk, ghost))


# What the network and the clients may do to a node that is up and at rest.


def deliver(local: Local, source: NodeId, message: Message) -> Local:
    """A message arrives."""
    heard = None
    if isinstance(message, Promise) and message.ballot == _at_rest(local).proposer.ballot:
        heard = Report(source, message.accepted)
    return _step(local, Received(source, message), heard)


def start_ballot(local: Local, value: str | None) -> Local | None:
    """Begin a ballot: for a client's value, or again for the one under way (``None``).

    Returns:
        ``None`` if that cannot be: a client's value begins a ballot only
        where none is under way, and only such a one is begun again.
    """
    memory = _at_rest(local)
    phase = memory.proposer.phase
    if memory.learner.learned is not None or (phase is Phase.IDLE) != (value is not None):
        return None
    if value is not None:
        after = _step(local, ProposeRequested(INSTANCE, 1, value, 0))
    else:
        # Patience runs out, then the back-off: nothing can be sent between the
        # two, so they are one action.
        after = local
        if phase in {Phase.PREPARING, Phase.ACCEPTING}:
            after = _step(after, _fired(Timer.PATIENCE, memory.proposer.ballot.round))
        if after.memory is not None and after.memory.proposer.phase is Phase.BACKING_OFF:
            after = _step(after, _fired(Timer.RETRY, 0))
    begun = any(
        isinstance(effect, Send) or isinstance(effect.record, RoundRecord)
        for effect in after.pending
    )
    return after if begun else None


# What a node does next by itself.


def persist(local: Local, accused: Accused, *, fails: bool = False) -> Local:
    """Write and sync the next effect, a record.

    A crash between write and sync needs no state of its own: a kill there is
    one behind the sync, and a power loss there one before the write.

    Args:
        local: a node whose next effect is a ``Persist``.
        accused: whose storage it is.
        fails: whether the sync fails. Then nothing is durable, and what was
            written counts as clean: a later sync does not bring it to the disk.
    """
    effect, rest = local.pending[0], local.pending[1:]
    assert isinstance(effect, Persist), f"{effect} is no record"
    disk = local.disk
    cached = disk.cached.with_record(effect.record)
    if fails or not effect.sync or accused.faults.synced is Synced.CACHED:
        return replace(local, pending=rest, disk=replace(disk, cached=cached))
    # A sync takes along what was written without one before.
    durable = replace(disk.durable, learned=disk.cached.learned).with_record(effect.record)
    older = disk.durable if disk.older is not None else None
    # The roles know best what an acceptor has: from here on this binds it.
    ghost = replace(local.ghost, kept=None)
    after = replace(local, pending=rest, disk=Disk(durable, cached, older), ghost=ghost)
    return _with_ghost(local, after)


def sent(local: Local) -> Local:
    """Send the next effect."""
    assert isinstance(local.pending[0], Send), f"{local.pending[0]} is no message"
    pending = local.pending[1:]
    return _without_idle_ghost(Local(local.memory, pending, local.disk, local.ghost, local.refused))


def at_rest(local: Local) -> Local:
    """The same as if nothing were pending."""
    return Local(local.memory, (), local.disk, local.ghost, local.refused)


# Crashes, starts, and faults of the disk.


def kill(local: Local) -> Local:
    """Memory is lost; the page cache outlives the process."""
    return replace(local, memory=None, pending=(), ghost=_forgetful(local.ghost))


def power_loss(local: Local) -> Local:
    """Memory is lost, and so is what was not synced."""
    down = kill(local)
    return replace(down, disk=replace(local.disk, cached=local.disk.durable))


def start(local: Local, accused: Accused, model: Model, node_id: NodeId) -> Local:
    """A node starts from its disk: what it reads is durable before it serves."""
    stored = accused.roles.recover(local.disk.cached)
    memory = Instance.recovered(
        INSTANCE, node_id, model.members, accused.settings, stored, accused.roles
    )
    disk = replace(local.disk, durable=local.disk.cached)
    after = _with_ghost(local, replace(local, memory=_projected(memory), disk=disk))
    return replace(after, ghost=replace(after.ghost, kept=None))


def start_as_copy(
    local: Local, accused: Accused, model: Model, node_id: NodeId, message: Message
) -> Local | None:
    """A node that lost its disk takes a promise for its own that a peer once sent."""
    if not isinstance(message, Promise):
        return None
    stored = Stored(promised=message.ballot)
    lost = _lose(local, stored)
    return start(lost, accused, model, node_id)


def torn_write(local: Local, accused: Accused) -> Local | None:
    """Power is lost in the middle of the next effect's write."""
    if not local.pending or not isinstance(local.pending[0], Persist):
        return None
    down = power_loss(local)
    return _lose(down, Stored()) if accused.faults.torn is TornRecord.EMPTY else down


def failed_sync(local: Local, accused: Accused) -> Local | None:
    """The next effect's sync fails."""
    if not local.pending:
        return None
    effect = local.pending[0]
    if not isinstance(effect, Persist) or not effect.sync:
        return None
    after = persist(local, accused, fails=True)
    return after if accused.faults.failed_sync is FailedSync.GOES_ON else kill(after)


def corrupt(local: Local, accused: Accused) -> Local:
    """The last record of a node that is down no longer verifies."""
    if accused.faults.corrupt is CorruptRecord.REFUSES:
        return replace(local, refused=True)
    assert local.disk.older is not None, "it keeps what to fall back on"
    return _lose(local, local.disk.older)


def lose_disk(local: Local, accused: Accused) -> Local:
    """The disk of a node that is down is gone."""
    if accused.faults.lost is LostDisk.REFUSES:
        return replace(local, refused=True)
    return _lose(local, Stored())


def _lose(local: Local, left: Stored) -> Local:
    """Only this is left on a disk, whatever was made durable there."""
    older = left if local.disk.older is not None else None
    after = _with_ghost(local, replace(local, disk=Disk(left, left, older)))
    kept = local.ghost.kept or local.disk.durable
    return replace(after, ghost=replace(after.ghost, kept=None if kept == left else kept))


# The parts.


def _at_rest(local: Local) -> Instance:
    assert local.memory is not None, "a node that is down does nothing"
    assert not local.pending, "a node carries its effects out before it takes an input"
    return local.memory


def _fired(timer: Timer, token: int) -> TimeoutFired:
    return TimeoutFired(INSTANCE, timer, token, ())


def _step(
    local: Local, given: Received | ProposeRequested | TimeoutFired, heard: Report | None = None
) -> Local:
    before = _at_rest(local)
    after, effects = before.step(given)
    memory = _projected(after)
    pending = tuple(_kept(effects))
    ghost = local.ghost
    # What was heard and what is counted differ in broken proposers only.
    changes = (memory.proposer.ballot, memory.proposer.promises) != (
        before.proposer.ballot,
        before.proposer.promises,
    )
    if heard is not None or changes:
        ghost = _with_heard(local, memory, heard)
    stepped = Local(memory, pending, local.disk, ghost, local.refused)
    return _without_idle_ghost(stepped)


def _with_heard(local: Local, memory: Instance, heard: Report | None) -> Ghost:
    assert local.memory is not None, "only a node that is up hears"
    before, proposer = local.memory.proposer, memory.proposer
    known: frozenset[Report] = frozenset()
    if proposer.ballot == before.ballot:
        known = (frozenset(before.promises) - local.ghost.unheard) | local.ghost.unheeded
    if heard is not None:
        known |= {heard}
    counted = frozenset(proposer.promises)
    return replace(local.ghost, unheeded=known - counted, unheard=counted - known)


def _kept(effects: Iterable[Effect]) -> Iterable[Persist | Send]:
    for effect in effects:
        if isinstance(effect, Persist) or (
            isinstance(effect, Send) and not isinstance(effect.message, Learned | Status)
        ):
            yield effect


def _projected(instance: Instance) -> Instance:
    """The same, without what no message and no record depends on."""
    proposer, learner = instance.proposer, instance.learner
    if proposer.attempt > 1 or any(wish.sent or wish.answered for wish in proposer.wishes):
        wishes = tuple(replace(wish, sent=False, answered=False) for wish in proposer.wishes)
        proposer = replace(proposer, attempt=min(proposer.attempt, 1), wishes=wishes)
    if learner.unanswered or learner.ask_ms or learner.own_ballot_planned:
        learner = replace(learner, unanswered=(), ask_ms=0, own_ballot_planned=False)
    if proposer is instance.proposer and learner is instance.learner:
        return instance
    return replace(instance, proposer=proposer, learner=learner)


def _forgetful(ghost: Ghost) -> Ghost:
    if ghost.unheeded or ghost.unheard:
        return replace(ghost, unheeded=frozenset(), unheard=frozenset())
    return ghost


def _without_idle_ghost(local: Local) -> Local:
    """Drop what was heard once no first Accept of the ballot can depend on it any more."""
    if not local.ghost.unheeded and not local.ghost.unheard:
        return local
    if local.memory is not None and local.memory.proposer.phase is Phase.PREPARING:
        return local
    if any(isinstance(e, Send) and isinstance(e.message, Accept) for e in local.pending):
        return local
    return replace(local, ghost=_forgetful(local.ghost))


def _with_ghost(before: Local, after: Local) -> Local:
    """Remember what was durable before and cannot be read off the disk any more."""
    was, now = before.disk.durable, after.disk.durable
    if was == now:
        return after
    accepted = before.ghost.accepted | _pairs(was) - _pairs(now)
    return replace(after, ghost=replace(after.ghost, accepted=accepted))


def _pairs(stored: Stored) -> frozenset[Pair]:
    if stored.accepted is None:
        return frozenset()
    return frozenset({(stored.accepted.ballot, stored.accepted.value)})
