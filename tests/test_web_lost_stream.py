"""A live run one of whose nodes' lines are lost for good: the others' are shown all the same."""

from tests.test_web_order import PATIENCE_MS, line, named, shown


def test_lines_that_have_waited_as_long_are_given_up_together() -> None:
    """A line for each frame would never catch up with a busy cluster."""
    receipts = [line("n1", seq, seq, cause=f"n{2 + seq % 3}/1/{seq}") for seq in range(1, 101)]
    passes = shown(receipts, *([[]] * (PATIENCE_MS + 1)))
    assert [named(part) for part in passes[:-1]] == [[]] * (PATIENCE_MS + 1)
    assert named(passes[-1]) == [f"n1/{seq}" for seq in range(1, 101)]


def test_a_line_behind_them_that_came_later_has_its_own_patience() -> None:
    """Its cause may still be on its way."""
    first = line("n1", 1, 1, cause="n2/1/1")
    second = line("n1", 2, 2, cause="n2/1/2")
    passes = shown([first], [second], *([[]] * PATIENCE_MS))
    assert [named(part) for part in passes[-2:]] == [[], ["n1/1"]]


def test_of_several_nodes_the_earliest_line_goes_first() -> None:
    """Given up is the cause, not the order of time."""
    lines = [line("n1", seq, 10 * seq, cause=f"n3/1/{seq}") for seq in (1, 2, 3)]
    lines += [line("n2", seq, 10 * seq + 5, cause=f"n3/1/{seq}") for seq in (1, 2, 3)]
    passes = shown(lines, *([[]] * (PATIENCE_MS + 1)))
    assert named(passes[-1]) == ["n1/1", "n2/1", "n1/2", "n2/2", "n1/3", "n2/3"]
