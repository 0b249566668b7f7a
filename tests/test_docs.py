"""The documents say what is so."""

import re
import subprocess
from pathlib import Path

from paxos.events.__main__ import reference

ROOT = Path(__file__).parent.parent


def test_the_log_format_document_lists_every_event_as_the_catalogue_has_it() -> None:
    """``docs/log-format.md`` ends with the catalogue's reference (``python -m paxos.events``)."""
    document = (ROOT / "docs" / "log-format.md").read_text(encoding="utf-8")
    assert document.split("## Events\n\n", 1)[1] == reference()


def _fenced(document: Path) -> list[str]:
    """The command lines in a document's ``sh`` blocks, comments cut off."""
    blocks = re.findall(r"```sh\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def _targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*(?:%)?):.*## ", makefile, re.MULTILINE))


def _make(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *words], cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_make_command_of_the_readme_is_a_target() -> None:
    """A command that a newcomer copies from the README is one that make knows."""
    commands = [line.split() for line in _fenced(ROOT / "README.md") if line.startswith("make ")]
    assert ["make", "demo"] in commands
    assert ["make", "test"] in commands
    for command in commands:
        dry = _make("--dry-run", *command[1:])
        assert dry.returncode == 0, dry.stderr


def test_make_help_lists_every_target_that_a_user_may_call() -> None:
    """``make help`` is made of the targets' own comments, so none is left out."""
    listed = _make("help").stdout
    for target in _targets():
        assert re.search(rf"^ +make {target.replace('%', 'NAME')} ", listed, re.MULTILINE), target
    phony = set(
        re.findall(
            r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    assert {name for names in phony for name in names.split()} <= _targets()


def test_every_file_that_a_document_links_to_exists() -> None:
    """No link of a document leads nowhere."""
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    assert len(documents) > 4
    for document in documents:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_place_that_the_readme_names_exists() -> None:
    """The README walks the code in the order a message travels; each file is there."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    places = set(
        re.findall(r"`((?:paxos|node|orchestrator|proto|web|scenarios)/[\w/.-]*)`", readme)
    )
    assert len(places) > 10
    for place in places:
        assert (ROOT / place).exists(), place
