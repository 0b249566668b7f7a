"""What waits for a hand: messages and timers, each ready as a step."""

from typing import Any

from paxos.protocol import Promise, Received, node_name
from paxos.sandbox.play import Play
from paxos.scenario.model import CARRIED
from paxos.simulator.gate import Held
from paxos.simulator.network import Sent
from paxos.simulator.node import Node
from paxos.simulator.stage import carried_by


def waiting(play: Play) -> list[dict[str, Any]]:
    """What waits at the end of a run, oldest first: messages, then timers.

    By hand, every message that was not delivered, and every timer that is set.
    Else what gates hold, each with the ``release`` that lets it go, though a
    release takes the oldest that fits.
    """
    names = {number: name for name, number in play.instances.items()}
    nodes = play.world.nodes.values()
    if play.world.manual:
        messages = [_message(sent, names) for sent in play.world.network.sent if not sent.delivered]
        return messages + [timer for node in nodes for timer in _timers(node, names)]
    return [_held(node, held, names) for node in nodes for held in node.gate.held]


def _message(sent: Sent, names: dict[int, str]) -> dict[str, Any]:
    given = sent.given.input
    assert isinstance(given, Received), "only a message is sent"
    message = given.message
    told: dict[str, Any] = {"ballot": None, "value": None, "promised": None, "accepted": None}
    told |= carried_by(message)
    if isinstance(message, Promise) and message.accepted is not None:
        told["value"] = message.accepted.value
    kind = sent.given.kind
    ends = {
        "kind": kind,
        "from": node_name(given.source),
        "to": node_name(sent.to),
        "instance": names[sent.given.instance],
    }
    carried = {name: told[name] for name in CARRIED[kind] if told[name] is not None}
    return {
        "what": "message",
        "line": sent.name,
        **ends,
        **told,
        "rule": None,
        "step": {"deliver": {**ends, **carried}},
    }


def _timers(node: Node, names: dict[int, str]) -> list[dict[str, Any]]:
    kinds = {(instance, str(timer)) for instance, timer, _ in node._timers}
    return [
        {
            "what": "timer",
            "node": node.name,
            "timer": timer,
            "instance": names[instance],
            "step": {"fire": {"node": node.name, "timer": timer, "instance": names[instance]}},
        }
        for instance, timer in sorted(kinds)
    ]


def _held(node: Node, held: Held, names: dict[int, str]) -> dict[str, Any]:
    passage = held.passage
    source, to = node_name(passage.source), node_name(passage.to)
    rule = _rule_name(node, held.rule)
    return {
        "what": "message",
        "line": passage.message,
        "kind": passage.kind,
        "from": source,
        "to": to,
        "instance": names.get(passage.instance),
        "ballot": None,
        "value": None,
        "promised": None,
        "accepted": None,
        "rule": rule,
        "step": {
            "release": {
                "name": rule,
                "first": 1,
                "kinds": [passage.kind],
                "from": [source],
                "to": [to],
            }
        },
    }


def _rule_name(node: Node, part: str) -> str:
    """The name of the rule as it was given; a gate's parts of one bear numbers behind it."""
    for name, parts in node.world.network.rules.items():
        if any(one.name == part for one in parts):
            return name
    return part
