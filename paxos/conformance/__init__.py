"""A log replayed through the core, message by message.

The rules of :mod:`paxos.checker` judge what a cluster did, whatever runs on
it. This package asks another question: whether what ran *was* the core. Each
node's lines are taken in their order; each input (a message, a timer, a
client's wish, a link) is given to :meth:`paxos.protocol.Instance.step`, and
what the core makes of it is compared with what the log says next: the state
before and after, why it was ignored, how far a quorum had come, and then each
record, message, timer and answer, in order and field by field.

A crash may cut a step's effects anywhere, so an end of an incarnation excuses
what is missing there. What only a driver knows is left out: the number of a
record in its file and what chance made of a timer's range, as long as it lies
within. A long value is its digest: the core never looks into a value.

``inputs``   a line back to the input that it records, and digests as values;
``replay``   one node's lines against the core;
``verdict``  all nodes together, for people and programs.
"""

from paxos.conformance.inputs import body_of, message_of, restored, stored_of
from paxos.conformance.replay import Departure, NodeReplay, OutOfOrder, Present
from paxos.conformance.verdict import (
    DEPARTED,
    OK,
    SKIPPED,
    UNKNOWN,
    Conformance,
    Table,
    conform,
    conform_in_any_order,
    replay_of,
)

__all__ = [
    "DEPARTED",
    "OK",
    "SKIPPED",
    "UNKNOWN",
    "Conformance",
    "Departure",
    "NodeReplay",
    "OutOfOrder",
    "Present",
    "Table",
    "body_of",
    "conform",
    "conform_in_any_order",
    "message_of",
    "replay_of",
    "restored",
    "stored_of",
]
