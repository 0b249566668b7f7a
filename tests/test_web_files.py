"""Which run is shown: chosen from the list, dropped or picked as files; and what is said of a file that holds none."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.web_page import Visit, drop
from tests.web_replay import run
from tests.web_rooms import PARTITION
from tests.web_server import recorded, scripted, text_of, write_run

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(three_runs: str) -> str:
    """The page, with the three runs that these tests share."""
    return three_runs


class TestChoosing:
    def test_a_run_is_chosen_from_the_list(self, visit: Visit) -> None:
        """Each with its title and verdict; then the address leads to it."""
        page = visit()
        page.get_by_role("button", name="Open a run").click()
        expect(page.locator(".runs .run")).to_have_count(3)
        page.locator(".runs").get_by_role("button", name="Three here, two there").click()
        expect(page.locator(".run-bar .run-title")).to_contain_text("both sides propose")
        expect(page.locator(".chooser")).to_have_count(0)
        assert page.evaluate("location.hash").startswith(run(PARTITION))

    def test_another_run_can_be_chosen_afterwards(self, visit: Visit) -> None:
        """The list opens again, and going back is one press of Escape."""
        page = visit(run(PARTITION))
        page.get_by_role("button", name="Open a run").click()
        page.keyboard.press("Escape")
        expect(page.locator(".chooser")).to_have_count(0)
        page.get_by_role("button", name="Open a run").click()
        page.locator(".runs").get_by_role("button", name="A node is killed").click()
        expect(page.locator(".run-bar .run-title")).to_contain_text("killed")

    def test_a_log_can_be_dropped(self, visit: Visit) -> None:
        """It needs no server's knowledge, so no link leads to it."""
        lines = recorded("local-late-proposer")
        page = visit()
        drop(page, {"mine.jsonl": text_of(lines)})
        expect(page.locator(".run-bar .run-title")).to_contain_text("late proposer")
        expect(page.locator(".verdict .chip")).to_have_text("not judged")
        assert page.evaluate("location.hash") == ""

    def test_the_nodes_own_logs_are_merged(self, visit: Visit) -> None:
        """Each node's order kept, and no line before its cause."""
        lines = recorded("local-late-proposer")
        nodes = {line["node"] for line in lines}
        files = {
            f"{node}.jsonl": text_of([line for line in lines if line["node"] == node])
            for node in nodes
        }
        page = visit()
        drop(page, files)
        expect(page.locator(".happening h2")).to_contain_text(f"of {len(lines)}")
        page.keyboard.press("End")
        expect(page.locator(".acceptors tbody tr").first).to_contain_text("apple")
        expect(page.locator(".choice")).to_contain_text("accepted by")

    def test_files_can_be_picked_verdict_and_all(self, visit: Visit, tmp_path: Path) -> None:
        """The keyboard's way to drop a run."""
        folder = write_run(tmp_path, "picked", scripted("R4-ignores-reported-values"))
        page = visit()
        page.get_by_role("button", name="Open a run").click()
        page.locator("input[type=file]").set_input_files(sorted(folder.iterdir()))
        expect(page.locator(".verdict > h3").first).to_contain_text("violated")

    @pytest.mark.parametrize(
        ("name", "text", "expected"),
        [
            ("photo.jsonl", "GIF89a\n", "photo.jsonl is no log of Paxos Lab"),
            ("other.jsonl", '{"level":"info"}\n', "no such event"),
            ("notes.md", "# Notes\n", "notes.md holds no log"),
            ("empty.jsonl", "", "empty.jsonl is empty"),
            ("history.jsonl", "{}\n", "history.jsonl holds no log"),
        ],
    )
    def test_a_foreign_file_gets_a_sentence(
        self, visit: Visit, name: str, text: str, expected: str
    ) -> None:
        """It says what is wrong, and leaves what was shown in place."""
        page = visit(run(PARTITION))
        expect(page.locator(".sentence")).to_be_visible()
        drop(page, {name: text})
        expect(page.get_by_role("alert")).to_contain_text(expected)
        expect(page.locator(".sentence")).to_be_visible()

    def test_a_broken_line_is_named(self, visit: Visit) -> None:
        """A log with a hole would tell a false story, so nothing of it is shown."""
        rows = text_of(recorded("local-late-proposer")).splitlines()
        rows[16] = rows[16][:40]
        page = visit()
        drop(page, {"mine.jsonl": "\n".join(rows) + "\n"})
        expect(page.get_by_role("alert")).to_contain_text("mine.jsonl is broken at line 17")

    def test_an_unfinished_last_line_is_left_out(self, visit: Visit) -> None:
        """A run that goes on, or was killed, can be watched as far as it has come."""
        text = text_of(recorded("local-late-proposer"))
        page = visit()
        drop(page, {"mine.jsonl": text[:-30]})
        expect(page.locator(".notice")).to_contain_text("never finished")
        expect(page.locator(".sentence")).to_be_visible()
