"""A broken variant with an edited handler: repaired, still broken, or refused in a sentence."""

import ast
import inspect
import textwrap
from typing import Any

import pytest

from orchestrator.core_archive import scenario_data
from orchestrator.stories import variants_json
from paxos.protocol import Acceptor
from paxos.sandbox import SandboxError, repair
from paxos.sandbox.handler import _home, repaired_parts
from paxos.storage import Storage
from paxos.variants import VARIANTS

ACCEPT = textwrap.dedent(inspect.getsource(Acceptor.on_accept))


GALLERY = {one["name"]: one for one in variants_json()["variants"]}
"""As the page reads it: what the editor begins with, and what it can be told to hold."""
REFUSES = """\
def on_accept(self, source, message):
    return self, [self._nack(source, message.ballot)]
"""


def tried(variant: str, source: str) -> dict[str, Any]:
    """What becomes of a repair."""
    return repair(variant, source, scenario_data())


class TestRepaired:
    def test_the_correct_handler_is_a_repair(self) -> None:
        """Every judge was asked, and a value is still chosen."""
        found = tried("accept-below-promise", ACCEPT)
        assert found["repaired"], found["sentence"]
        assert found["violation"] is None
        assert found["can_choose"] is True
        assert found["model"]["chosen"] == "seen"
        assert found["explored"]["states"] > 1_000
        assert found["seeds"]["chosen"] > 0
        assert "values are still chosen" in found["sentence"]
        assert found["counterexample"]["verdict"]["verdict"] == "ok"

    @pytest.mark.parametrize("name", VARIANTS)
    def test_the_correct_handler_in_the_editor_is_a_repair(self, name: str) -> None:
        """For every variant, whatever the correct one is called where it stands."""
        found = tried(name, GALLERY[name]["repair"])
        assert found["repaired"], found["sentence"]
        assert found["violation"] is None

    @pytest.mark.parametrize(
        ("variant", "source"),
        [
            (
                "accepts-once",
                "def on_accept(self, source, message):\n    return super().on_accept(source, message)\n",
            ),
            ("skips-phase-1", "def begin(self):\n    return super().begin()\n"),
            ("number-reused", "def forget_round(stored):\n    return stored\n"),
            ("reply-before-write", "def reply_first(effects):\n    return effects\n"),
            ("sync-lies", textwrap.dedent(inspect.getsource(Storage.sync))),
            (
                "half-quorum",
                "@property\ndef quorum(self):\n    return len(self.members) // 2 + 1\n",
            ),
            (
                "promise-omits-accepted",
                "class OmitsAccepted(Acceptor):\n    __slots__ = ()\n",
            ),
        ],
    )
    def test_each_part_can_be_repaired(self, variant: str, source: str) -> None:
        """Roles, functions of a driver, storage, a property, a whole class."""
        found = tried(variant, source)
        assert found["repaired"], found["sentence"]


class TestStillBroken:
    @pytest.mark.parametrize("name", VARIANTS)
    def test_what_the_editor_begins_with_is_no_repair(self, name: str) -> None:
        """To hand in what was there is caught, for every variant."""
        found = tried(name, GALLERY[name]["handler"])
        assert not found["repaired"], found["sentence"]

    def test_the_counterexample_quotes_its_violation(self) -> None:
        """And no other judge is asked: the answer is there at once."""
        found = tried("accept-below-promise", GALLERY["accept-below-promise"]["handler"])
        assert found["violation"]["rule"] == "R1"
        assert found["sentence"].startswith("The counterexample still breaks R1: ")
        assert found["model"] is None
        assert found["can_choose"] is None

    def test_a_handler_that_refuses_everything_is_no_repair(self) -> None:
        """It breaks no rule: the *sometimes* beside every *always* catches it."""
        found = tried("accept-below-promise", REFUSES)
        assert not found["repaired"]
        assert found["violation"] is None
        assert found["can_choose"] is False
        assert "no value can be chosen any more" in found["sentence"]

    def test_a_repair_for_one_schedule_only_is_caught_by_the_model(self) -> None:
        """The recorded schedule is one of many."""
        source = ACCEPT.replace(
            "message.ballot < self.promised", "message.ballot.round + 1 < self.promised.round"
        )
        assert source != ACCEPT
        found = tried("accept-below-promise", source)
        assert not found["repaired"], found["sentence"]


class TestRefused:
    @pytest.mark.parametrize(
        ("source", "sentence"),
        [
            ("def on_accept(self, source, message:\n    pass", "line 1: this is no Python"),
            ("def on_accept(self, source, message):\n  x = = 1", "line 2: this is no Python"),
            (
                "def on_accept(self, source, message):\n    return slf, []",
                "line 2 of your handler fails: NameError",
            ),
            ("def on_accept(self, source):\n    return self, []", "TypeError"),
            (
                "def on_accept(self, source, message):\n    return 5",
                "Your handler fails: TypeError",
            ),
            ("print('hello')", "line 1: a handler is made of functions or a class"),
            ("x = 1", "there is no function here"),
            ("", "there is no function here"),
            ("class Other(Acceptor):\n    pass", "has no class 'Other'"),
            (
                "def x():\n    return None",
                "what is broken here is on_accept: keep that name",
            ),
            (
                "import nonsense_module\ndef on_accept(self, source, message):\n    pass",
                "line 1 of your handler fails",
            ),
            ("x = '" + "a" * 60_000 + "'", "at most 50,000 characters"),
            ("def on_accept(self, source, message):\n    return '\0'", "this is no Python"),
        ],
    )
    def test_what_cannot_be_used_is_told_with_its_line(self, source: str, sentence: str) -> None:
        """The person's own mistake, in the person's own lines."""
        with pytest.raises(SandboxError) as refused:
            tried("accept-below-promise", source)
        assert sentence in str(refused.value)

    @pytest.mark.parametrize("name", [name for name in VARIANTS if GALLERY[name]["handlers"]])
    def test_a_function_that_nothing_calls_is_refused_with_the_name_to_keep(
        self, name: str
    ) -> None:
        """It would leave the broken one in force, and be judged for what that does."""
        with pytest.raises(
            SandboxError, match=r"line 1: nothing calls 'x'.*: keep that name"
        ) as refused:
            repaired_parts(VARIANTS[name], "def x():\n    return None\n")
        kept = str(refused.value).partition("what is broken here is ")[2].split(":")[0]
        assert all(f"def {one}(" in GALLERY[name]["handler"] for one in kept.split(" and "))

    @pytest.mark.parametrize(
        ("name", "source", "sentence"),
        [
            ("no-backoff", REFUSES, "line 1: no-backoff changes backoff and nothing else"),
            ("no-backoff", "attempt_limit = 3\n", "line 1: no-backoff changes backoff"),
            ("no-backoff", "backoff = 1\n", "line 1: backoff is written like True"),
            ("no-backoff", "backoff = print()\n", "line 1: no-backoff changes backoff"),
            ("no-backoff", "backoff = True please", "write backoff as it stands there"),
            ("ranges-starve", "\nscheme = names\n", "line 2: scheme is rounds or"),
        ],
    )
    def test_a_setting_is_repaired_by_its_value_alone(
        self, name: str, source: str, sentence: str
    ) -> None:
        """A variant that changes a setting has no function, and runs none."""
        with pytest.raises(SandboxError) as refused:
            tried(name, source)
        assert sentence in str(refused.value)

    def test_there_is_no_such_variant(self) -> None:
        """The nearest names are told."""
        with pytest.raises(SandboxError, match="no variant is called 'nonsense'; the nearest are"):
            tried("nonsense", REFUSES)

    def test_an_edit_leaves_the_variant_as_it_was(self) -> None:
        """The next run of the variant is broken again: nothing in its module was changed."""
        module, owner = _home(VARIANTS["accept-below-promise"])
        before = dict(vars(module))
        tried("accept-below-promise", ACCEPT)
        assert vars(module) == before
        assert owner is not None
        assert isinstance(ast.parse(inspect.getsource(getattr(module, owner))), ast.Module)
