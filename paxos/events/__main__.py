"""Print the reference of all events, as ``docs/log-format.md`` shows it.

``python -m paxos.events`` is for whoever changes the catalogue; a test holds
the document equal to it.
"""

from paxos.events.lines import CATALOGUE


def reference() -> str:
    """The events with their fields and meaning, as a table in Markdown."""
    rows = ["| Event | Fields | Meaning |", "|---|---|---|"]
    for event, entry in CATALOGUE["events"].items():
        fields = ", ".join(f"`{name}` {kind}" for name, kind in entry["fields"].items())
        rows.append(f"| `{event}` | {fields} | {entry['means']} |")
    types = [f"- *{name}*: {meaning}." for name, meaning in CATALOGUE["types"].items()]
    return "\n".join([*rows, "", "Types of fields:", "", *types]) + "\n"


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201 - printing is what it is for.
