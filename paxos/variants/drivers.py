"""Drivers that carry effects out in another order, or forget a part at a start."""

from dataclasses import replace

from paxos.protocol import AcceptorRecord, Ballot, Effect, Persist, Stored


def forget_round(stored: Stored) -> Stored:
    """A proposer that counts from the beginning after every start."""
    return replace(stored, round=-1)


def forget_promise(stored: Stored) -> Stored:
    """An acceptor that remembers what it accepted, but not what it promised."""
    accepted = stored.accepted
    return replace(stored, promised=Ballot.ZERO if accepted is None else accepted.ballot)


def forget_accepted(stored: Stored) -> Stored:
    """An acceptor that remembers what it promised, but not what it accepted."""
    return replace(stored, accepted=None)


def reply_first(effects: list[Effect]) -> list[Effect]:
    """Every reply of an acceptor before the write that it relies on."""
    # A proposer still persists its round first: one change, and no number is reused.
    writes: list[Effect] = [
        effect
        for effect in effects
        if isinstance(effect, Persist) and isinstance(effect.record, AcceptorRecord)
    ]
    return [effect for effect in effects if effect not in writes] + writes
