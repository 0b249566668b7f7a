"""The page's English stands in its files of words, so that it can be translated; and all of it is used."""

import re
from pathlib import Path
from typing import Any, Final

import pytest

from orchestrator.web import PAGE
from tests.web_node import ask_node

PHRASE: Final = re.compile(r"[A-Za-z][a-z']+(?:,? [a-z']+){2,}")
"""Three words of a sentence."""

WORD: Final = re.compile(r"(?<!&)\b[A-Za-z]{2,}")

CODE: Final = re.compile(
    # What a person at the console reads, or nobody: faults of the page itself.
    r"new (?:Type|Range)?Error\($"
    # Selectors, names of what a log or an answer says, a policy and a style sheet.
    r"|policy = $|\.closest\($|new Set\(\[[^]]*$|=== $|REPORT_STYLE =\s*$"
)
"""What stands in front of a text that is not for people."""

ALONE: Final = "boot.js"
"""It imports nothing, for that might not come either; so it brings its own words."""

COMMAND: Final = "paxos-lab whatif \0 --at \0"
"""What a person copies into a terminal is no English."""


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """The texts of the page's modules, and its words."""
    told: dict[str, Any] = ask_node("web_texts.mjs", {"root": str(PAGE)})
    return told


def english(texts: list[dict[str, str]]) -> list[tuple[str, str]]:
    """What of these texts people would have to read, with the file that it stands in."""
    return [
        (one["file"], one["text"])
        for one in texts
        if one["text"] != COMMAND
        and (
            WORD.search(one["text"])
            if one["kind"] == "shown"
            else PHRASE.search(" ".join(one["text"].replace("\0", " ").split()))
            and not CODE.search(one["before"])
        )
    ]


def test_no_sentence_stands_outside_of_the_words(found: dict[str, Any]) -> None:
    """No template has a word of its own, and no other text three of them."""
    texts = found["modules"]
    assert len({one["file"] for one in texts}) > 100
    assert [pair for pair in english(texts) if pair[0] != ALONE] == []
    assert len([pair for pair in english(texts) if pair[0] == ALONE]) == 3


PLANTED: Final = """
import { words } from "./words.js";
const path = /["'`]/; // it's a comment with many words in it
export const one = (app) => html`<p title="Read it out">${words.a} ${app.b ? html`<b>Bold</b>` : "yes"}</p>`;
export const two = `It went ${app.c ? `wrong in a hole` : ""} for ${one} of us`;
export const three = "as it happens now";
"""


def test_a_sentence_that_is_planted_is_found(tmp_path: Path) -> None:
    """In a tag, between tags, in a hole of a template, in a plain text."""
    (tmp_path / "planted.js").write_text(PLANTED, encoding="utf-8")
    (tmp_path / "words.js").write_text('export const words = { a: "a" };', encoding="utf-8")
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    texts = ask_node("web_texts.mjs", {"root": str(tmp_path)})["modules"]
    found = [text for _, text in english(texts)]
    whole = "It went \0 for \0 of us"
    assert sorted(found) == ["Bold", whole, "Read it out", "as it happens now", "wrong in a hole"]


def test_words_are_texts_and_not_code(found: dict[str, Any]) -> None:
    """They import words alone, and each is a text or a function that makes one."""
    files = found["words"]
    assert len(files) > 10
    for one in files:
        assert all(re.search(r"words\.js$", name) for name in one["imports"]), one["file"]
        assert one["bad"] == [], one["file"]
        source = (PAGE / one["file"]).read_text("utf-8")
        assert not re.search(r"\b(?:html|svg)`|document\.|window\.", source), one["file"]


def test_every_word_is_used(found: dict[str, Any]) -> None:
    """What nobody shows is not left for somebody to translate."""
    sources = {
        path.relative_to(PAGE).as_posix(): path.read_text("utf-8")
        for path in PAGE.rglob("*.js")
        if not {"node_modules", "vendor"} & set(path.parts)
    }
    code = "\n".join(sources.values())
    unused = []
    for one in found["words"]:
        for path in one["names"]:
            # Of what is deeper the name is data: a kind of message, the name of a rule.
            group, _, name = path.partition(".")
            # A button is asked for by its kind, and its hint by that and this ending.
            kind = name.removesuffix("How")
            used = rf"(?:\.|\")(?:{name}|{kind})\b|\{{[^}}]*\b{name}\b[^}}]*\}} = "
            if name and "." not in name and not re.search(used, code):
                unused.append(f"{one['file']}: {group}.{name}")
    assert unused == []
