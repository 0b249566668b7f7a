"""What a live run's scenario waits for: only what is bound to come again, and each thing once."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from orchestrator.cluster import Condition
from orchestrator.web.notes import Notes, as_yaml
from orchestrator.web.seen import Seen, Sight, Waits, cut_off
from paxos.scenario import Lines, learners
from paxos.scenario import model as do
from tests.web_server import recorded

FIVE = ("n1", "n2", "n3", "n4", "n5")
UP = dict.fromkeys(FIVE, Condition.RUNNING)
PLACE = ("n1", "live-1")
WISH = {"propose": {"name": "fig", "at": "n1", "value": "fig", "instance": "live-1"}}


def waits(*moments: tuple[dict[str, Any] | None, Seen]) -> list[dict[str, Any]]:
    """The steps that wait, before commands one after another; ``None`` is the end of the run."""
    found: list[dict[str, Any]] = []
    own = Waits(FIVE)
    for command, seen in moments:
        steps = () if command is None else (command,)
        found += own.before(steps, seen)
        own.commanded(steps, seen)
    return found


class TestWaits:
    def test_an_answer_is_awaited_once_and_longer_if_it_was_slow(self) -> None:
        """A client may be told only after half a minute that it failed."""
        slow = Seen(answered={"fig": 1.0, "pear": 30_000.0})
        steps = waits(
            ({"kill": ["n1"]}, Seen(answered={"fig": 1.0})), ({"heal": "all"}, slow), (None, slow)
        )
        assert steps == [{"await": "fig"}, {"await": "pear", "limit_s": 60}]

    def test_who_has_learned_is_waited_for_when_it_is_somebody_new(self) -> None:
        """In the order of the nodes; ``all`` where it is all."""
        two = Seen(learned={"live-1": frozenset({"n3", "n1"})})
        every = Seen(learned={"live-1": frozenset(FIVE)})
        assert waits(({"kill": ["n4"]}, two), ({"kill": ["n5"]}, two), (None, every)) == [
            {"learned": {"by": ["n1", "n3"], "instance": "live-1"}},
            {"learned": {"by": "all", "instance": "live-1"}},
        ]

    def test_a_wish_that_has_arrived_has_arrived_again(self) -> None:
        """Its node is killed next: killed before, it would be another story."""
        arrived = Seen(waiting={"fig": PLACE}, received={PLACE: 2})
        assert waits((WISH, Seen()), ({"kill": ["n1"]}, arrived)) == [
            {"wait": {"event": "propose_received", "node": "n1", "instance": "live-1", "count": 2}}
        ]

    @pytest.mark.parametrize(("seen_count", "count"), [(1, None), (2, 2), (40, 3)])
    def test_tries_in_vain_are_waited_for_up_to_three(
        self, seen_count: int, count: int | None
    ) -> None:
        """Of a proposer that reaches no majority: nothing else can have become of them."""
        vain = Seen(
            waiting={"fig": PLACE}, tries={PLACE: 5 + seen_count}, cut_off=frozenset({"n1"})
        )
        (step,) = waits((WISH, Seen(tries={PLACE: 5})), ({"heal": "all"}, vain))
        assert step["wait"].get("count") == count
        assert (step["wait"]["timer"], step["new"]) == ("patience", True)

    def test_what_chance_decides_is_not_waited_for(self) -> None:
        """A duel's next try may never come; nor is a wish before the last command looked at."""
        tries = Seen(waiting={"fig": PLACE}, tries={PLACE: 2})
        assert waits((WISH, Seen()), (None, tries)) == []
        alone = Seen(waiting={"fig": PLACE}, tries={PLACE: 2}, cut_off=frozenset({"n1"}))
        assert waits((WISH, Seen()), ({"pause": ["n5"]}, Seen()), (None, alone)) == []

    def test_messages_that_a_rule_holds(self) -> None:
        """Once a rule holds something; all that is held where some of it is let go."""
        held = Seen(held={"slow": 4})
        first = {"release": {"name": "slow", "first": 2}}
        assert waits(({"kill": ["n5"]}, held), (None, held)) == [
            {"wait": {"event": "message_held", "rule": "slow"}}
        ]
        assert waits((first, held)) == [{"wait": {"event": "message_held", "count": 4}}]


class TestCutOff:
    def test_a_smaller_side_reaches_no_majority(self) -> None:
        """A node that sees both sides does."""
        wall = do.Cut("partition", "partition", (("n1", "n2"), ("n3", "n4", "n5")))
        bridge = do.Cut("partition", "partition", (("n1", "n2", "n3"), ("n3", "n4", "n5")))
        assert cut_off(FIVE, UP, [wall]) == {"n1", "n2"}
        assert cut_off(FIVE, UP, [bridge]) == frozenset()

    def test_nodes_that_are_down_or_paused_are_not_reached(self) -> None:
        """Nor is one beyond a single cut, when only three are left."""
        three = {**UP, "n4": Condition.EXITED, "n5": Condition.PAUSED}
        cut = do.Cut.link("cut n1-n2", "n1", "n2", FIVE)
        assert cut_off(FIVE, three, []) == frozenset()
        assert cut_off(FIVE, three, [cut]) == {"n1", "n2"}
        assert cut_off(FIVE, {**three, "n3": Condition.EXITED}, []) == set(FIVE)


def test_what_is_seen_of_a_log() -> None:
    """Who has learned is what the scenario's own step would find."""
    lines = recorded("local-partition")
    numbers = sorted({line["instance"] for line in lines if "instance" in line})
    found = Lines({f"i{number}": number for number in numbers})
    found.extend(lines)
    seen = Sight().look(found, [], frozenset(), has_rules=False)
    assert seen.learned
    for name in found.instances:
        assert seen.learned.get(name, frozenset()) == frozenset(learners(found, name))
    assert sum(seen.received.values()) == len(found.of("propose_received")) > 0
    assert sum(seen.tries.values()) > 0
    # However often one looks on the way: and what was seen earlier stays as it was.
    growing, sight, before = Lines(found.instances), Sight(), []
    for start in range(0, len(lines), 97):
        growing.extend(lines[start : start + 97])
        now = sight.look(growing, [], frozenset(), has_rules=False)
        assert now == Sight().look(growing, [], frozenset(), has_rules=False)
        before.append((now, repr(now)))
    assert before[-1][0] == seen
    assert all(repr(one) == then for one, then in before)


class TestTitle:
    def test_it_names_the_first_commands(self) -> None:
        """As they were given, also where a file says one by several steps."""
        notes = Notes(FIVE)
        assert notes.title == "A live run"
        for command in (
            {"propose": {"at": "n1", "value": "a value of many words"}},
            {"partition": [["n1", "n2"], ["n3", "n4", "n5"]]},
            {"kill": ["n4", "n5"]},
        ):
            notes.name(command)
        told = "Live: propose a value of many wor… at n1; partition n1 n2 | n3 n4 n5; kill n4 n5"
        assert notes.title == told
        notes.name({"power_loss": "all"})
        assert notes.title == f"{told}; power loss all"
        notes.name({"failpoint": {"node": "n1", "point": "after_sync"}})
        assert notes.title == f"{told}; and 2 more commands"


class TestYaml:
    @pytest.mark.parametrize("kind", ["rt", "safe"])
    @given(
        text=st.text(
            st.characters() | st.sampled_from("\x85\u2028\u2029\ufeff\x00 \n\r\t\"':#-é😀")
        )
    )
    @example(text="a\x85b")
    @example(text="\u2028")
    @example(text=f"{'pear ' * 18}\x85a")
    @example(text=f"{'x' * 87} \x85a\x85 b")
    @example(text="é\u2029 b\r\n")
    @example(text="word " * 100)
    @example(text="no")
    def test_every_text_is_read_as_it_was_written(self, kind: str, text: str) -> None:
        """A wish may hold what YAML takes for the end of a line."""
        data = {"title": f"Live: propose {text} at n1", "steps": [{"propose": {"value": text}}]}
        assert YAML(typ=kind, pure=True).load(as_yaml(data)) == data
