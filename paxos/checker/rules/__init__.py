"""The rules of Paxos, each a function from a history to what breaks it.

R1 to R6 are about one node at a time, so each needs only the order of lines
at that node and their causes. Agreement and validity are about the cluster.
All of them read what nodes *did*: replies sent, records on disk, requests
received. That a line is absent counts as a fact only where the log is whole
(:attr:`NodeLog.gaps`); what breaks a rule by lines that are there, breaks it
whatever else is missing.

Each rule reports the first breach of each kind per node, or per ballot, and
instance: what follows from the same bug at the same place adds nothing.

Whoever asks why hands a rule somebody to tell (:mod:`paxos.checker.facts`).
Then it tells what it judges by as it goes, and goes on behind a breach; what
it reports to a verdict, which tells nobody, is the same with and without.
"""

from collections.abc import Mapping
from typing import Final

from paxos.checker.rules.acceptors import honest_promise, promise_kept
from paxos.checker.rules.durability import durable_before_reply
from paxos.checker.rules.findings import Rule, Violation
from paxos.checker.rules.learners import justified_learning
from paxos.checker.rules.outcome import agreement, validity
from paxos.checker.rules.proposers import justified_accept, one_value_per_ballot

__all__ = ["RULES", "Violation"]

RULES: Final[Mapping[str, tuple[str, Rule]]] = {
    "R1": ("promise kept", promise_kept),
    "R2": ("honest promise", honest_promise),
    "R3": ("one value per ballot", one_value_per_ballot),
    "R4": ("justified accept", justified_accept),
    "R5": ("justified learning", justified_learning),
    "R6": ("durable before reply", durable_before_reply),
    "agreement": ("at most one value is chosen", agreement),
    "validity": ("a chosen value was proposed", validity),
}
"""The rules by their short names, in the order in which they are told."""
