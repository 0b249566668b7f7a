"""Both engines visit the same states, and as many as ever."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paxos.explorer import (
    ALWAYS,
    MODELS,
    Accused,
    Ended,
    Explored,
    Model,
    ModelError,
    Progress,
    explore,
    search,
)
from paxos.explorer.arrays import ArraySearch, ArrayTables, Layout, Seen, Words, unique
from paxos.explorer.tables import Tables
from paxos.variants import VARIANTS
from tests.explorer_cases import accused_of, model_of

# Of the correct protocol: distinct, generated, depth. A changed count is a
# changed protocol, or a changed model.
PINNED: dict[Model, tuple[int, int, int]] = {
    Model(3, 1, 1, 1): (16_006, 44_851, 44),
    Model(3, 1, 1, 1, whole_steps=True): (1_787, 5_091, 17),
    Model(3, 1, 1, 1, crashes=1): (174_435, 617_001, 51),
    Model(3, 1, 1, 1, crashes=1, whole_steps=True): (22_994, 85_372, 21),
    Model(3, 1, 1, 1, crashes=1, disk_faults=1): (517_364, 1_981_449, 53),
    Model(3, 1, 1, 1, crashes=1, disk_faults=1, whole_steps=True): (77_311, 312_372, 23),
    Model(2, 2, 2, 2): (307_345, 889_871, 62),
    Model(2, 2, 2, 2, whole_steps=True): (52_613, 225_761, 26),
    Model(2, 1, 1, 1, crashes=1, disk_faults=1): (2_207, 6_464, 37),
    Model(1, 1, 2, 2, crashes=2, disk_faults=2): (22_331, 52_175, 38),
}

# What both engines explore to the end: the bounds, and who is put to the test.
BOTH: list[tuple[Model, str | None]] = [
    (Model(3, 1, 1, 1), None),
    (Model(3, 1, 1, 1, crashes=1, whole_steps=True), None),
    (Model(2, 1, 1, 1, crashes=1, disk_faults=1), None),
    (Model(2, 1, 1, 1, crashes=1, disk_faults=1, whole_steps=True), None),
    (Model(2, 2, 1, 2, whole_steps=True), None),
    (Model(1, 1, 2, 2, crashes=2, disk_faults=2), None),
    (Model(3, 1, 1, 1), "promise-omits-accepted"),
    (Model(3, 1, 1, 1), "small-quorum"),
    (Model(3, 1, 1, 1), "strict-accept"),
    (Model(1, 1, 2, 2, crashes=2, whole_steps=True), "number-reused"),
    (Model(2, 1, 1, 1, crashes=1), "reply-before-write"),
    # A copy needs a message and costs a fault, which no other action does.
    (Model(2, 1, 1, 1, crashes=1, disk_faults=1), "promises-copied"),
    (Model(2, 1, 1, 1, crashes=1, disk_faults=1), "corrupt-skipped"),
    (Model(2, 1, 1, 1, crashes=1, disk_faults=1, whole_steps=True), "written-in-place"),
    (Model(2, 1, 1, 1, crashes=1, disk_faults=1, whole_steps=True), "sync-retried"),
]


def told(explored: Explored) -> dict[str, object]:
    """All that a search says but how long it took."""
    progress = explored.progress
    return {
        "ended": explored.ended,
        "counts": (progress.distinct, progress.generated, progress.depth, progress.frontier),
        "most_used": explored.most_used,
        "calls": explored.call_count,
        "verdicts": explored.verdicts,
        "lengths": {name: len(trace) for name, trace in explored.traces.items()},
    }


class TestCounts:
    @pytest.mark.parametrize("model", PINNED, ids=str)
    def test_a_model_has_as_many_states_as_ever(self, model: Model) -> None:
        """And every property of the correct protocol holds, and is shown, in it."""
        found = explore(model, engine="arrays")
        progress = found.progress
        assert (progress.distinct, progress.generated, progress.depth) == PINNED[model]
        assert found.complete
        assert set(found.verdicts.values()) == {"holds", "seen"}

    @pytest.mark.parametrize(("model", "variant"), BOTH, ids=str)
    def test_the_engines_agree(self, model: Model, variant: str | None) -> None:
        """In the counts, the verdicts, and the length of the way to each property."""
        accused = accused_of(variant)
        plain = explore(model, accused, engine="plain")
        assert plain.complete
        assert told(plain) == told(explore(model, accused, engine="arrays"))

    @pytest.mark.parametrize("name", ["accept-below-promise", "stale-promises", "half-quorum"])
    @pytest.mark.parametrize("whole_steps", [True, False])
    def test_the_engines_stop_at_the_same_level(self, name: str, whole_steps: bool) -> None:
        """A level is ended before a search stops, so that no order within it shows."""
        size = VARIANTS[name].exposed_by
        assert size is not None
        model, accused = model_of(size, whole_steps=whole_steps), accused_of(name)
        plain = explore(model, accused, engine="plain", until=ALWAYS)
        assert plain.ended is Ended.FOUND
        assert plain.first_broken == VARIANTS[name].breaks
        assert told(plain) == told(explore(model, accused, engine="arrays", until=ALWAYS))

    def test_a_bound_that_was_met_is_named(self) -> None:
        """Beyond it nothing is known, and the result must say which it was."""
        assert explore(Model(1, 1, 1, 2, crashes=1)).met_bounds == ("ballots", "crashes")
        assert explore(Model(1, 1, 1, 2, crashes=7), limit=10).met_bounds == ()

    def test_the_named_models_have_the_names_that_they_are_found_by(self) -> None:
        """The command line looks them up."""
        assert all(MODELS[name].name == name for name in MODELS)


class TestStops:
    MODEL = Model(3, 1, 1, 1)

    @pytest.fixture(params=["plain", "arrays"])
    def engine(self, request: pytest.FixtureRequest) -> str:
        """Each engine."""
        return str(request.param)

    def test_at_its_limit(self, engine: str) -> None:
        """What was not broken by then is unknown, and what was seen is seen."""
        found = explore(self.MODEL, engine=engine, limit=15_000)
        assert found.ended is Ended.LIMIT
        assert not found.complete
        assert 15_000 < found.distinct < 16_006
        assert {found.verdicts[name] for name in ALWAYS} == {"unknown"}
        assert found.verdicts["chosen"] == "seen"

    def test_a_property_that_was_not_shown_yet_is_unknown(self, engine: str) -> None:
        """``never`` is said only of all states."""
        found = explore(self.MODEL, engine=engine, limit=100)
        assert found.verdicts["chosen"] == "unknown"

    def test_at_what_it_looks_for(self, engine: str) -> None:
        """The level that shows it is the last."""
        found = explore(self.MODEL, engine=engine, until=("chosen",))
        assert found.ended is Ended.FOUND
        assert found.verdicts["chosen"] == "seen"
        assert found.verdicts["learned"] == "unknown"
        assert len(found.traces["chosen"]) == found.progress.depth - 1

    def test_when_its_watcher_says_so(self, engine: str) -> None:
        """It tells how far it is, and gives what it has."""
        seen: list[Progress] = []

        def watch(progress: Progress) -> bool:
            seen.append(progress)
            return len(seen) < 12

        found = explore(self.MODEL, engine=engine, watch=watch)
        assert found.ended is Ended.STOPPED
        assert len(seen) == 12
        assert seen[-1].depth <= found.progress.depth <= 12
        assert [p.distinct for p in seen] == sorted(p.distinct for p in seen)
        assert found.verdicts["agreement"] == "unknown"

    def test_a_watcher_that_is_content_changes_nothing(self, engine: str) -> None:
        """To look is not to touch."""
        watched = explore(Model(2, 1, 1, 1), engine=engine, watch=lambda _: True)
        assert told(watched) == told(explore(Model(2, 1, 1, 1), engine=engine))

    def test_a_violation_before_the_limit_is_no_less_one(self, engine: str) -> None:
        """``broken`` needs one schedule, not all of them."""
        found = explore(self.MODEL, accused_of("one-promise"), engine=engine, limit=500)
        assert found.ended is Ended.LIMIT
        assert found.verdicts["R4"] == "broken"
        assert found.verdicts["R1"] == "unknown"

    def test_an_engine_that_is_not_there_is_refused(self) -> None:
        """With the names of those that are."""
        with pytest.raises(ModelError, match="no engine 'fast', only plain and arrays"):
            explore(self.MODEL, engine="fast")

    @pytest.mark.parametrize(
        ("bounds", "text"),
        [
            ({"nodes": 0}, "nodes is 0, and may be 1 to 9"),
            ({"nodes": 2, "proposing": 3}, "proposing is 3, and may be 1 to 2"),
            ({"values": 5}, "values is 5, and may be 1 to 4"),
            ({"ballots": 0}, "ballots is 0"),
            ({"crashes": -1}, "crashes is -1"),
            ({"disk_faults": 4}, "disk_faults is 4"),
        ],
    )
    def test_a_bound_that_cannot_be_is_refused(self, bounds: dict[str, int], text: str) -> None:
        """The text says which, and what is possible."""
        with pytest.raises(ModelError, match=text):
            replace(Model(), **bounds)  # type: ignore[arg-type]


REPEATED = """
import json
from paxos.explorer import Model, explore
from paxos.explorer.schedule import steps
from tests.explorer_cases import accused_of

told = []
for engine in ("plain", "arrays"):
    model, accused = Model(1, 1, 2, 2, crashes=1, whole_steps=True), accused_of("number-reused")
    found = explore(model, accused, engine=engine)
    told.append([found.distinct, found.progress.generated, found.call_count, found.verdicts])
    told.append({name: steps(found.traces[name], model, accused) for name in found.traces})
print(json.dumps(told))
"""


def test_chance_has_no_part_in_it() -> None:
    """Whatever hashes Python draws: the same counts, and the same schedules move by move."""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", REPEATED],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
            timeout=160,
        ).stdout
        for seed in ("1", "77")
    }
    (output,) = outputs
    assert json.loads(output)[1]["R3"]


# The words of the engine with numpy.


@st.composite
def layouts(draw: st.DrawFn) -> tuple[Layout, tuple[int, ...], tuple[int, int, int]]:
    """A layout that fits 64 bits, and a state that fits the layout."""
    widths = tuple(draw(st.lists(st.integers(1, 20), min_size=1, max_size=3)))
    counters = draw(st.tuples(*[st.integers(0, 1)] * 3))
    parts = tuple(draw(st.integers(0, (1 << width) - 1)) for width in widths)
    a, b, c = (draw(st.integers(0, (1 << width) - 1)) for width in counters)
    return Layout(widths, counters), parts, (a, b, c)


class TestWords:
    @given(layouts())
    def test_what_is_packed_is_unpacked(
        self, packed: tuple[Layout, tuple[int, ...], tuple[int, int, int]]
    ) -> None:
        """Whatever the widths, nothing overlaps, and nothing is left over."""
        layout, parts, used = packed
        word = layout.pack(parts, used)
        assert layout.unpack(word) == (parts, used)
        assert word < 1 << sum(layout.widths) + sum(layout.counters)

    @given(layouts(), st.data())
    def test_words_are_ordered_as_states(
        self, packed: tuple[Layout, tuple[int, ...], tuple[int, int, int]], data: st.DataObject
    ) -> None:
        """So that states laid out anew stay sorted."""
        layout, parts, used = packed
        other = tuple(data.draw(st.integers(0, (1 << width) - 1)) for width in layout.widths)
        words = layout.pack(parts, used), layout.pack(other, used)
        assert (words[0] < words[1]) == (parts < other)

    @given(st.lists(st.integers(0, 2**64 - 1)) | st.lists(st.integers(0, 5)))
    def test_unique_is_a_sorted_set(self, numbers: list[int]) -> None:
        """None, one and many; the largest word, too."""
        found = unique(np.array(numbers, np.uint64))
        assert found.tolist() == sorted(set(numbers))

    @given(st.lists(st.sets(st.integers(0, 40) | st.integers(2**64 - 9, 2**64 - 1)), max_size=12))
    def test_what_was_seen_is_a_set(self, levels: list[set[int]]) -> None:
        """However many levels are added, and whatever becomes of the runs."""
        seen, expected = Seen(), set[int]()
        for level in levels:
            words = np.array(sorted(level), np.uint64)
            new = seen.without(words)
            assert new.tolist() == sorted(level - expected)
            if len(new):
                seen.add(new)
            expected |= level
        everything = np.array(sorted(expected), np.uint64)
        assert not len(seen.without(everything))


def narrow(model: Model, spare: int, accused: Accused | None = None) -> ArraySearch:
    """A search whose words have only so many bits for the parts of all nodes."""
    found = ArraySearch(Tables(model, accused or Accused()))
    ballots, crashes, faults = found._arrays.counters
    found._arrays.counters = 64 - spare - crashes - faults, crashes, faults
    found._arrays.layout = Layout((spare // model.nodes,) * model.nodes, found._arrays.counters)
    assert spare <= 64 - ballots - crashes - faults
    return found


class TestWidening:
    MODEL = Model(3, 1, 1, 1, whole_steps=True)

    @pytest.fixture
    def moved(self, monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
        """How long the arrays were, each time that a search laid its states out anew."""
        found: list[list[int]] = []
        widen = ArrayTables.widen

        def watched(self: ArrayTables, words: list[Words]) -> list[Words]:
            found.append([len(array) for array in words])
            return widen(self, words)

        monkeypatch.setattr(ArrayTables, "widen", watched)
        return found

    @pytest.mark.parametrize(
        ("model", "variant", "bits"),
        [(MODEL, None, 18), (Model(2, 1, 1, 1, crashes=1), "promise-forgotten", 14)],
    )
    def test_nothing_is_lost_when_states_are_laid_out_anew(
        self,
        moved: list[list[int]],
        monkeypatch: pytest.MonkeyPatch,
        model: Model,
        variant: str | None,
        bits: int,
    ) -> None:
        """In the midst of a level, too: the same counts, verdicts and ways."""
        # Small pieces, so that a level is in the midst of its work when it must stop.
        monkeypatch.setattr("paxos.explorer.arrays._CHUNK", 16)
        accused = accused_of(variant)
        found = narrow(model, bits, accused).run((), 10**6, None)
        assert sum(moved[-1]) > 100
        assert len(moved[-1]) > found.progress.depth // 2
        assert told(found) == told(explore(model, accused, engine="plain"))

    def test_states_keep_their_order_and_their_parts(self) -> None:
        """Two layouts of one state unpack to the same."""
        found = narrow(self.MODEL, 18)
        arrays, words = found._arrays, found._levels[0]
        following = words
        while not arrays.is_too_narrow:
            words = following
            found_next = [after for _, after, _, _ in arrays.successors(words)]
            following = unique(np.concatenate(found_next))
        old = arrays.layout
        (moved,) = arrays.widen([words])
        assert arrays.layout != old
        assert len(words) > 50
        before = [old.unpack(int(word)) for word in words]
        assert [arrays.layout.unpack(int(word)) for word in moved] == before
        assert moved.tolist() == sorted(moved.tolist())

    def test_a_model_that_does_not_fit_a_word_ends_the_search_with_what_it_found(self) -> None:
        """An overflow that goes on in silence would be worse than none."""
        found = narrow(self.MODEL, 12).run((), 10**6, None)
        assert found.ended is Ended.TOO_LARGE
        assert re.search(r"too large.*parts need .* bits, and 12 are there", found.why)
        assert found.distinct > 1
        assert set(found.verdicts.values()) <= {"unknown", "seen"}


def test_a_search_is_of_the_engine_that_was_asked_for() -> None:
    """By default that with numpy, where numpy is there."""
    kinds = {engine: type(search(Model(), engine=engine)).__name__ for engine in ("", "plain")}
    assert kinds == {"": "ArraySearch", "plain": "PlainSearch"}
