"""R5: what a learner takes for chosen."""

from paxos.checker.facts import Learnt, Tell
from paxos.checker.history import History, InstanceHistory, Pair, pair_of
from paxos.checker.rules.findings import Findings, lines_of, proposal_text
from paxos.events import Line, line_id, show


def justified_learning(history: History, tell: Tell | None = None) -> Findings:
    """R5: before a node learns v, a quorum of distinct acceptors has accepted v at one ballot.

    The acceptors that the learner names must be such a quorum: each must have
    accepted that pair, by its own lines. *Before* is happened-before: the news
    must have had a way to the learner. Where some learner heard of the instance
    from a stranger, whose messages have no cause, the way cannot be seen; then
    an acceptance breaks the rule only if it came after the learning.
    """
    found = Findings("R5", history, tell)
    if not history.quorum:
        return found
    for instance in history.instances.values():
        told: dict[str, set[Pair]] = {}
        for line in lines_of(instance.learned, "value_learned", "state_recovered"):
            known = line if line["event"] == "value_learned" else line["learned"]
            own = told.setdefault(line["node"], set())
            # What a node recovers, it has learned and logged before.
            if line["event"] == "state_recovered" and pair_of(known) in own:
                continue
            own.add(pair_of(known))
            found.judged += 1
            _judge_learning(found, instance, line, known)
    return found


def _judge_learning(found: Findings, instance: InstanceHistory, line: Line, known: Line) -> None:
    history = found.history
    named_acceptors = known["acceptors"]
    what = (
        f"{line['node']} takes {proposal_text(known)} as chosen ({line_id(line)}), "
        f"accepted by {show('acceptors', named_acceptors)}"
    )
    strangers = [node for node in named_acceptors if node not in history.members]
    if strangers:
        found.broken(instance, line, f"{what}; {show('acceptors', strangers)} is no acceptor here")
        return
    by_node = instance.acceptances.get(pair_of(known), {})
    acceptances = [by_node[node] for node in named_acceptors if node in by_node]
    if len(named_acceptors) < history.quorum:
        found.broken(instance, line, f"{what}; a quorum is {history.quorum}", acceptances)
        return
    for node in named_acceptors:
        wrong = _not_accepted_before(found, instance, line, node, by_node.get(node))
        if wrong is not None:
            found.broken(instance, line, f"{what}; {wrong}", acceptances)
            return
    if found.tell is not None:
        seen = {node: by_node[node] for node in named_acceptors if node in by_node}
        found.told(instance, line, Learnt(known, seen))


def _not_accepted_before(
    found: Findings,
    instance: InstanceHistory,
    learned: Line,
    node: str,
    acceptance: Line | None,
) -> str | None:
    """Why an acceptor had not accepted when a learner learned; ``None`` if that is not proven."""
    history = found.history
    order, own = history.order, history.nodes[node]
    if acceptance is None:
        if not own.is_whole:
            return None
        if own.open_end is not None and node in instance.asked_to_accept:
            found.doubtful(
                instance,
                f"whether {node} had accepted what {line_id(learned)} learned is not known: "
                f"{own.open_end}",
                node,
            )
            return None
        # The runner may have seen the learner for longer than the acceptor.
        unseen = [node] if instance.hearsay_without_cause else ()
        if found.lacks_what_led_to(instance, learned, unseen):
            return None
        return f"{node} had not accepted it"
    if acceptance is not learned and order.before(learned, acceptance):
        # It may have accepted before, on a line that is missing.
        if not own.is_whole:
            return None
        return f"{node} accepted it only afterwards ({line_id(acceptance)})"
    is_order_known = (
        not instance.hearsay_without_cause
        and history.all_whole
        # A disk that the runner read was written at some time before.
        and acceptance["event"] != "disk_read"
    )
    if is_order_known and not order.before(acceptance, learned):
        # The news may have come by a node that was seen for a shorter time.
        if found.lacks_what_led_to(instance, learned):
            return None
        return f"it cannot have heard by then that {node} accepted it ({line_id(acceptance)})"
    return None
