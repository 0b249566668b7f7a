"""Logs in short: a script of what nodes did, turned into lines with all their fields.

One sentence of a script is one line of the log, or a few. Causes are found by
themselves: what a node ``gets`` is the last message of that kind that was
sent to it. Nothing checks that a script obeys Paxos; that is what it is for.

    nodes 5                          the first sentence, if they are not 3
    instance 2                       what follows is about this instance
    client n1 apple                  the runner proposes at n1
    stranger n1 apple                so does somebody else: no cause
    n1 prepare 1.n1 to n2 n3         prepare_sent, one line for each
    n2 gets prepare 1.n1             prepare_received
    n2 disk 1.n1                     state_persisted: promised 1.n1, nothing accepted
    n2 disk 1.n1 with 1.n1 apple     the same, with an accepted pair
    n2 promise 1.n1                  promise_sent, to the ballot's owner
    n2 promise 3.n3 with 1.n1 apple  the same, reporting a pair
    n1 gets promise 1.n1 from n2     as it was sent; ``with ...`` alters it
    n1 accept 1.n1 apple to n2 n3    accept_sent
    n2 gets accept 1.n1 apple        accept_received
    n2 accepted 1.n1 apple           accepted_sent
    n1 gets accepted 1.n1 from n2    accepted_received
    n2 nack 1.n1 for 3.n3            nack_sent: promised 3.n3
    n1 gets nack 1.n1 from n2        nack_received
    n1 learns 1.n1 apple by n1 n2    value_learned
    n1 learn 1.n1 apple by n1 n2 to n3     learn_sent
    n3 gets learn 1.n1 from n1       learn_received
    n3 gets learn 1.g1 apple by n1 n2 from nobody    the same, from a stranger
    n1 answers apple                 propose_answered: chosen
    n2 stops                         node_stopped
    n2 killed | n2 loses power       the runner says so
    n2 back                          node_started, node_ready: nothing on disk
    n2 back 1.n1 with 1.n1 apple     the same with a state_recovered in between
    n2 back 1.n1 with 1.n1 apple knowing 1.n1 apple by n1 n2     it had learned
    read n2 1.n1 with 1.n1 apple     disk_read by the runner

A ``gets`` sentence may end in ``from nobody``: then it has no cause (and a
guest's ``prepare`` and ``accept``, which leave no line, need nothing else).

Two sentences stand for whole exchanges, in which acceptors do as they should,
going by what their disk holds:

    phase1 1.n1 by n1 n2             prepare to all, answered and heard by these
    phase2 1.n1 apple by n1 n2       accept to all, answered and heard by these
"""

import shlex
from collections.abc import Iterable
from typing import Any

from paxos.events import SCHEMA_VERSION, Line, line_id, problems

ORCHESTRATOR = "orchestrator"
CLUSTER = "hand-made"


def build(script: str) -> list[Line]:
    """The lines of a script, in the order in which they were written."""
    builder = LogBuilder()
    for number, sentence in enumerate(script.splitlines(), 1):
        words = shlex.split(sentence, comments=True)
        if words:
            try:
                builder.say(*words)
            except (ValueError, KeyError) as error:
                raise ValueError(f"line {number} of the script, {sentence!r}: {error}") from error
    builder.start()
    return builder.lines


def owner(ballot: str) -> str:
    """Whose ballot this is: ``3.n5`` is n5's."""
    return ballot.rpartition(".")[2]


class LogBuilder:
    """Writes the lines of one log.

    Attributes:
        lines: those written so far.
    """

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.instance = 1
        self.members: list[str] = []
        self._incarnation: dict[str, int] = {}
        self._seq: dict[str, int] = {}
        # (kind, sender, addressee, instance, ballot) -> the last line that sent it.
        self._sent: dict[tuple[Any, ...], Line] = {}
        # (node, instance) -> (promised, accepted) on disk.
        self._disk: dict[tuple[str, int], tuple[str, Line | None]] = {}
        self._operations = 0
        self._records = 0

    def start(self, count: int = 3) -> None:
        """Start all nodes for the first time, unless that has been done."""
        if not self.members:
            self.members = [f"n{number}" for number in range(1, count + 1)]
            for node in self.members:
                self._start_node(node)

    def say(self, *words: str) -> None:
        """Carry out one sentence of a script."""
        if words[0] == "nodes":
            self.start(int(words[1]))
            return
        self.start()
        match words:
            case ["instance", number]:
                self.instance = int(number)
            case ["client", node, value]:
                self._propose(node, value)
            case ["stranger", node, value]:
                self._received_wish(node, value, None)
            case ["read", node, *state]:
                self._read(node, state)
            case ["phase1", ballot, "by", *nodes]:
                self._phase1(ballot, nodes)
            case ["phase2", ballot, value, "by", *nodes]:
                self._phase2(ballot, value, nodes)
            case [node, "gets", *rest]:
                self._gets(node, *rest)
            case [node, "stops"]:
                self.write(node, "node_stopped", reason="it was asked to")
            case [node, "killed"]:
                self._fault(node, "kill")
            case [node, "loses", "power"]:
                self._fault(node, "power_loss")
            case [node, "back", *state]:
                self._back(node, state)
            case [node, verb, *rest]:
                self._does(node, verb, rest)
            case _:
                raise ValueError("no such sentence")

    def write(self, node: str, event: str, **fields: Any) -> Line:
        """Add a line of any kind; its header is made here."""
        incarnation = self._incarnation.setdefault(node, 1)
        self._seq[node] = self._seq.get(node, 0) + 1
        line = {
            "v": SCHEMA_VERSION,
            "node": node,
            "incarnation": incarnation,
            "seq": self._seq[node],
            "at_ns": 1_000_000 * (len(self.lines) + 1),
            "event": event,
            **fields,
        }
        found = problems(line)
        if found:
            raise ValueError("; ".join(found))
        self.lines.append(line)
        return line

    # What one node does.

    def _does(self, node: str, verb: str, rest: list[str]) -> None:
        about = {"instance": self.instance}
        match verb, rest:
            case "prepare", [ballot, "to", *peers]:
                for to in peers:
                    self._send(node, "prepare", to, ballot)
            case "promise", [ballot, *report]:
                self._send(node, "promise", owner(ballot), ballot, accepted=_pair(report))
            case "accept", [ballot, value, "to", *peers]:
                for to in peers:
                    self._send(node, "accept", to, ballot, value=value)
            case "accepted", [ballot, value]:
                self._send(node, "accepted", owner(ballot), ballot, value=value)
            case "nack", [ballot, "for", promised]:
                self._send(
                    node, "nack", owner(ballot), ballot, promised=promised, request="prepare"
                )
            case "disk", [promised, *report]:
                self._persist(node, promised, _pair(report))
            case "learns", [ballot, value, "by", *acceptors]:
                self.write(
                    node, "value_learned", **about, ballot=ballot, value=value, acceptors=acceptors
                )
            case "learn", [ballot, value, "by", *acceptors, "to", to]:
                self._send(node, "learn", to, ballot, value=value, acceptors=acceptors)
            case "answers", [value]:
                self.write(
                    node,
                    "propose_answered",
                    **about,
                    request=1,
                    outcome="chosen",
                    wanted=value,
                    value=value,
                    ballot="1.n1",
                    yours=True,
                    reason="",
                )
            case _:
                raise ValueError("no such sentence")

    def _send(self, node: str, kind: str, to: str, ballot: str, **fields: Any) -> None:
        line = self.write(
            node, f"{kind}_sent", instance=self.instance, to=to, ballot=ballot, **fields
        )
        self._sent[kind, node, to, self.instance, ballot] = line

    def _gets(self, node: str, kind: str, ballot: str, *rest: str) -> None:
        """Receive the last such message: from the ballot's owner, or from whom it says."""
        words = list(rest)
        source, is_known = owner(ballot), True
        fields: dict[str, Any] = {}
        if kind == "accept":
            fields["value"] = words.pop(0)
        if kind == "learn" and words[1:2] == ["by"]:
            end = words.index("from")
            fields |= {"value": words[0], "acceptors": words[2:end]}
            del words[:end]
        if words[:1] == ["from"]:
            is_known = words[1] != "nobody"
            source = words[1] if is_known else source
            del words[:2]
        sent = self._sent.get((kind, source, node, self.instance, ballot)) if is_known else None
        for name in ("accepted", "value", "promised", "acceptors"):
            if sent is not None and name in sent:
                fields.setdefault(name, sent[name])
        if words:
            fields["accepted"] = None if words == ["with", "nothing"] else _pair(words)
        elif kind == "promise":
            fields.setdefault("accepted", None)
        if sent is not None:
            fields["cause"] = line_id(sent)
        self.write(
            node,
            f"{kind}_received",
            instance=self.instance,
            source=source,
            ballot=ballot,
            **fields,
        )

    def _persist(self, node: str, promised: str, accepted: Line | None) -> None:
        self._records += 1
        self._disk[node, self.instance] = promised, accepted
        self.write(
            node,
            "state_persisted",
            instance=self.instance,
            record="acceptor",
            number=self._records,
            promised=promised,
            accepted=accepted,
        )

    def _propose(self, node: str, value: str) -> None:
        self._operations += 1
        invoked = self.write(
            ORCHESTRATOR,
            "propose_invoked",
            instance=self.instance,
            operation=self._operations,
            to=node,
            value=value,
        )
        self._received_wish(node, value, line_id(invoked))

    def _received_wish(self, node: str, value: str, cause: str | None) -> None:
        self.write(
            node,
            "propose_received",
            instance=self.instance,
            request=1,
            value=value,
            timeout_ms=5000,
            **({} if cause is None else {"cause": cause}),
        )

    # Lives and deaths.

    def _start_node(self, node: str) -> None:
        self._write_start(node)
        self.write(node, "node_ready", instance_count=0)

    def _write_start(self, node: str) -> None:
        self.write(
            node,
            "node_started",
            cluster=CLUSTER,
            members=self.members,
            settings={},
            variant=None,
        )

    def _fault(self, node: str, fault: str) -> None:
        self.write(
            ORCHESTRATOR,
            "fault_applied",
            fault=fault,
            targets=[node],
            mechanism="signal",
            detail={},
            evidence="its process is gone",
            elapsed_ms=1,
        )

    def _back(self, node: str, state: list[str]) -> None:
        self._incarnation[node] += 1
        self._seq[node] = 0
        self._write_start(node)
        for recovered in self._stored(state):
            self._disk[node, self.instance] = recovered["promised"], recovered["accepted"]
            self.write(node, "state_recovered", **recovered)
        self.write(node, "node_ready", instance_count=1 if state else 0)

    def _read(self, node: str, state: list[str]) -> None:
        self.write(
            ORCHESTRATOR,
            "disk_read",
            of=node,
            incarnation_read=self._incarnation[node],
            instances=self._stored(state),
        )

    def _stored(self, state: list[str]) -> list[dict[str, Any]]:
        if not state:
            return []
        learned = None
        if "knowing" in state:
            at = state.index("knowing")
            ballot, value, _, *acceptors = state[at + 1 :]
            learned = {"ballot": ballot, "value": value, "acceptors": acceptors}
            state = state[:at]
        return [
            {
                "instance": self.instance,
                "promised": state[0],
                "accepted": _pair(state[1:]),
                "round": 0,
                "learned": learned,
            }
        ]

    # Whole exchanges.

    def _phase1(self, ballot: str, nodes: Iterable[str]) -> None:
        proposer = owner(ballot)
        for to in self.members:
            self._send(proposer, "prepare", to, ballot)
        for node in nodes:
            self._gets(node, "prepare", ballot)
            promised, accepted = self._disk.get((node, self.instance), (None, None))
            if promised != ballot:
                self._persist(node, ballot, accepted)
            self._send(node, "promise", proposer, ballot, accepted=accepted)
        for node in nodes:
            self._gets(proposer, "promise", ballot, "from", node)

    def _phase2(self, ballot: str, value: str, nodes: Iterable[str]) -> None:
        proposer = owner(ballot)
        for to in self.members:
            self._send(proposer, "accept", to, ballot, value=value)
        for node in nodes:
            self._gets(node, "accept", ballot, value)
            self._persist(node, ballot, {"ballot": ballot, "value": value})
            self._send(node, "accepted", proposer, ballot, value=value)
        for node in nodes:
            self._gets(proposer, "accepted", ballot, "from", node)


def _pair(words: list[str]) -> Line | None:
    match words:
        case []:
            return None
        case ["with", ballot, value]:
            return {"ballot": ballot, "value": value}
        case _:
            raise ValueError(f"no pair: {words}")
