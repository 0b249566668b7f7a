"""A broken protocol, or failing disks, from here on: every schedule of whole nodes."""

from typing import Any, Final

from paxos.conformance import restored
from paxos.events import node_key
from paxos.explorer import ALWAYS, TITLES, Ended, Explored, Progress
from paxos.explorer.from_here import CHOSEN, Onward, search_from
from paxos.explorer.schedule import NotPlayable, steps, told_at_a_start, told_by_a_log, told_move
from paxos.whatif.bounds import ABSTRACTS, SAFE, UNKNOWN, WRONG, Bounds, Watch, counted, with_known
from paxos.whatif.present import Now

_WISH: Final = "from-here-"
"""In front of the number of a client's wish, in the steps of the way."""


def search_nodes(now: Now, bounds: Bounds, watch: Watch | None) -> dict[str, Any]:
    """What a search of whole nodes adds to an answer."""
    model = Onward(
        nodes=len(now.nodes),
        proposing=1,
        values=1,
        ballots=max(bounds.ballots, 1),
        crashes=bounds.crashes,
        disk_faults=bounds.disk_faults,
        whole_steps=True,
        client_values=bounds.fresh,
        known_values=now.values,
        beginners=bounds.beginners if bounds.ballots else (),
    )
    starts = [node.start for node in now.nodes]
    search = search_from(starts, model, now.accused)

    def goes_on(at: Progress) -> bool:
        # What is found first is at the least depth, for every level before was finished.
        found = any(name in search.traces for name in ALWAYS)
        return not found and at.distinct <= bounds.limit and (watch is None or watch(at.distinct))

    searched = search.run(ALWAYS, bounds.limit, goes_on)
    found = [name for name in searched.traces if name.startswith(CHOSEN)]
    values = [name.removeprefix(CHOSEN) for name in found]
    any_other = any(value in bounds.fresh for value in values)
    known = [value for value in values if value not in bounds.fresh]
    if any_other:
        known = with_known(known, now)
    frame: dict[str, Any] = {
        "can_choose": [restored(value) for value in known],
        "any_other": any_other,
        "states": searched.distinct,
        "depth": searched.progress.depth,
        "complete": searched.complete,
        "properties": {
            name: verdict
            for name, verdict in searched.verdicts.items()
            if name in {*ALWAYS, "chosen"}
        },
        "abstracts": list(ABSTRACTS),
    }
    if searched.first_broken is not None:
        return frame | _wrong(now, model, searched, searched.first_broken)
    variant = f" with {now.accused.name}" if now.accused.name else ""
    if searched.complete:
        sentence = f"no rule can break from here{variant}, within these bounds"
        return frame | {"verdict": SAFE, "sentence": sentence}
    why = f" ({searched.why})" if searched.ended is Ended.TOO_LARGE else ""
    sentence = (
        f"no rule breaks within {counted(max(searched.progress.depth - 2, 0), 'further step')}"
        f"{variant}; beyond that {searched.distinct:,} states were not all{why}"
    )
    return frame | {"verdict": UNKNOWN, "sentence": sentence}


def _wrong(now: Now, model: Onward, searched: Explored, broken: str) -> dict[str, Any]:
    trace = searched.traces[broken]
    if not trace:
        return {
            "verdict": WRONG,
            "sentence": f"{broken} ({TITLES[broken]}) breaks with the step under way",
            "way": ["the step under way is carried out to its end"],
            "steps": [
                step
                for node in now.nodes
                if node.start.local.pending
                for step in told_at_a_start(node_key(node.name), now.accused)
            ],
        }
    starts = [node.start for node in now.nodes]
    received = [envelope for node in now.nodes for envelope in node.received]
    played: list[dict[str, Any]] = []
    reason = None
    try:
        # A way is played before it is told, so a step that a world may do otherwise may be tried.
        played = steps(
            trace,
            model,
            now.accused,
            starts=starts,
            received=received,
            wish=_WISH,
            copies=True,
        )
        played += told_by_a_log(trace, now.accused)
    except NotPlayable as error:
        reason = str(error)
    count = counted(len(trace), "further step")
    return {
        "verdict": WRONG,
        "sentence": f"{broken} ({TITLES[broken]}) can break from here, within {count}",
        "way": [told_move(move) for move in trace],
        "steps": played,
        "not_playable": reason,
    }
