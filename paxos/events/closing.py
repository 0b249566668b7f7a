"""The line that closes a log: which lines of every node belong to the run."""

from collections.abc import Iterable, Mapping, Sequence

from paxos.events.lines import Line


def ends_together(
    lines: Mapping[str, Sequence[Line]], ends: Mapping[str, tuple[int, int]]
) -> dict[str, tuple[int, int]]:
    """The first ends, from some on, of which no line quotes one that stands behind them.

    Nodes that run on name their ends one after the other, and what a later one names
    may follow from what an earlier one did only after its answer.

    Args:
        lines: each node's so far, in its order.
        ends: for each node that runs, incarnation and number of the line that it named.
            Of a node that is not among them all lines count.

    Returns:
        The ends, each the same or later. One may be of a line that has not come yet:
        then what that line quotes is not known, and this is to be asked again.
    """
    found = dict(ends)
    read = dict.fromkeys(lines, 0)
    waiting = list(lines)
    while waiting:
        node = waiting.pop()
        own, end = lines[node], found.get(node)
        while read[node] < len(own):
            line = own[read[node]]
            if end is not None and (line["incarnation"], line["seq"]) > end:
                break
            read[node] += 1
            writer, incarnation, seq = line.get("cause", "nobody/0/0").split("/")
            known = found.get(writer)
            if known is not None and int(incarnation) == known[0] and int(seq) > known[1]:
                found[writer] = known[0], int(seq)
                waiting.append(writer)
    return found


def closing_fields(
    lines: Iterable[Line], starts: Mapping[str, tuple[int, int]], instances: Mapping[str, int]
) -> Line:
    """What ``log_closed`` says.

    Args:
        lines: the run's so far, in any order; those of others than the nodes don't count.
        starts: for each node, incarnation and number of the run's first line.
        instances: the run's, by name.

    Returns:
        The event and its fields. Of each incarnation the last line that there is counts.
    """
    ends = {node: {incarnation: seq} for node, (incarnation, seq) in starts.items()}
    for line in lines:
        own = ends.get(line["node"])
        if own is not None:
            own[line["incarnation"]] = max(line["seq"], own.get(line["incarnation"], 0))
    pieces = {
        node: [
            {
                "incarnation": incarnation,
                # Later incarnations are the run's from their first line on.
                "first": starts[node][1] if incarnation == starts[node][0] else 1,
                "last": last,
            }
            for incarnation, last in sorted(own.items())
        ]
        for node, own in ends.items()
    }
    return {"event": "log_closed", "instances": dict(instances), "pieces": pieces}
