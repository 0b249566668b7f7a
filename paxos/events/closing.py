"""The line that closes a log: which lines of every node belong to the run."""

from collections.abc import Iterable, Mapping

from paxos.events.lines import Line


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
