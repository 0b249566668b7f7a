"""Single-decree Paxos: a function from (state, input) to (state, ordered effects).

The rules that everything in this package obeys:

1. No I/O, clock, randomness, logging, ``async`` or threads. An import
   contract breaks the build otherwise.
2. States and messages are frozen, slotted dataclasses: hashable (visited
   sets), comparable (tests), printable (golden files).
3. Handlers are named ``on_<message>`` or ``on_<timer>``, return
   ``(state, effects)``, and never raise because of what a peer sent.
4. Effects happen in list order. ``Persist`` precedes every ``Send`` that
   relies on it ("Paxos Made Simple" §2.5). A crash may cut the list anywhere:
   that alone gives every world its crash points.
5. Ignoring an input is a branch with a reason (``Ignore``), never a
   fall-through.
6. No unsorted set or dict reaches an effect, nothing is ordered by
   ``hash()``, no float is used: two runs print the same bytes on every Python.

Everything else is a driver that carries effects out: the node over gRPC
(``node/driver.py``), the simulator in virtual time (``paxos/simulator/``).

Why it works, in short. A value is *chosen* when a majority of acceptors has
accepted it at one ballot. A proposer may only push a value at ballot b after a
majority has promised to refuse everything below b, and has told it what it
accepted before. Any majority that might ever choose something below b shares
an acceptor with that majority, and that acceptor either told (then the
proposer pushes the highest value told, which by induction is the chosen one)
or will refuse (then nothing else is chosen below b). So whatever is chosen
stays the only value that anyone can push.

``ballot`` numbers · ``quorum`` arithmetic · ``messages`` on the wire ·
``effects`` and inputs · ``acceptor``, ``proposer``, ``learner`` the roles ·
``instance`` one node's three roles together · ``config`` settings.
"""

from paxos.protocol.acceptor import Acceptor
from paxos.protocol.ballot import (
    GUESTS,
    RANGE_SIZE,
    Ballot,
    NodeId,
    NumberScheme,
    Proposal,
    RangeExhausted,
    next_round,
    node_name,
)
from paxos.protocol.config import Config, Settings
from paxos.protocol.effects import (
    AcceptorRecord,
    Answer,
    CancelTimer,
    Effect,
    Ignore,
    Input,
    LearnedRecord,
    LinkUp,
    Outcome,
    Persist,
    ProposeRequested,
    Received,
    Record,
    RoundRecord,
    Send,
    SetTimer,
    Started,
    TimeoutFired,
    Timer,
)
from paxos.protocol.instance import ROLES, Instance, Roles, Stored
from paxos.protocol.learner import Learner, Tally
from paxos.protocol.messages import (
    Accept,
    Accepted,
    Learn,
    Learned,
    Message,
    Nack,
    Prepare,
    Promise,
    Status,
)
from paxos.protocol.proposer import Phase, Proposer, Report, Wish
from paxos.protocol.quorum import majority, tolerated

__all__ = [
    "GUESTS",
    "RANGE_SIZE",
    "ROLES",
    "Accept",
    "Accepted",
    "Acceptor",
    "AcceptorRecord",
    "Answer",
    "Ballot",
    "CancelTimer",
    "Config",
    "Effect",
    "Ignore",
    "Input",
    "Instance",
    "Learn",
    "Learned",
    "LearnedRecord",
    "Learner",
    "LinkUp",
    "Message",
    "Nack",
    "NodeId",
    "NumberScheme",
    "Outcome",
    "Persist",
    "Phase",
    "Prepare",
    "Promise",
    "Proposal",
    "ProposeRequested",
    "Proposer",
    "RangeExhausted",
    "Received",
    "Record",
    "Report",
    "Roles",
    "RoundRecord",
    "Send",
    "SetTimer",
    "Settings",
    "Started",
    "Status",
    "Stored",
    "Tally",
    "TimeoutFired",
    "Timer",
    "Wish",
    "majority",
    "next_round",
    "node_name",
    "tolerated",
]
