"""Settings: what is read, what is refused, and that docs/settings.md is true."""

import re

import pytest

from node.config import BadConfiguration, Config, read_config, setting_docs
from paxos.protocol import NumberScheme, Settings
from tests.conftest import ROOT
from tests.node_cluster import run_node

GOOD = {
    "PAXOS_NODE": "n2",
    "PAXOS_MEMBERS": "n3,n1,n2",
    "PAXOS_CLUSTER": "lab",
    "PAXOS_STATE_DIR": "/state",
    "PAXOS_LISTEN": "10.0.0.2:7000,10.1.0.2:7000",
    "PAXOS_CONTROL_LISTEN": "10.9.0.2:7001",
    "PAXOS_PEERS": "n1=10.0.0.1:7000, n3=10.1.0.3:7000",
}

BAD = [
    ({"PAXOS_NODE": "2"}, [], "PAXOS_NODE must be a node's name, n1 to n99, and is '2'"),
    ({"PAXOS_NODE": "n4"}, [], "PAXOS_MEMBERS must name this node, n4"),
    ({"PAXOS_MEMBERS": "n1,n2,n2"}, [], "PAXOS_MEMBERS names a node twice"),
    ({"PAXOS_MEMBERS": "one"}, [], "PAXOS_MEMBERS must be a list of nodes"),
    ({"PAXOS_CLUSTER": "a b"}, [], "PAXOS_CLUSTER must be 1 to 64 letters"),
    ({"PAXOS_STATE_DIR": ""}, [], "PAXOS_STATE_DIR must be a directory"),
    ({"PAXOS_STATE_DIR": "/\udcff"}, [], "PAXOS_STATE_DIR must be UTF-8 text"),
    ({"PAXOS_PEERS": "n1=\udcff:1"}, [], "PAXOS_PEERS must be UTF-8 text"),
    ({"PAXOS_LISTEN": "localhost"}, [], "PAXOS_LISTEN must be host:port"),
    ({"PAXOS_LISTEN": "localhost:0"}, [], "PAXOS_LISTEN must have a port from 1 to 65535"),
    (
        {"PAXOS_CONTROL_LISTEN": "10.0.0.2:7000"},
        [],
        "PAXOS_CONTROL_LISTEN must be another address than PAXOS_LISTEN",
    ),
    ({"PAXOS_PEERS": "n1=10.0.0.1:7000"}, [], "PAXOS_PEERS must say where n3 is"),
    ({"PAXOS_PEERS": GOOD["PAXOS_PEERS"] + ",n7=h:1"}, [], "PAXOS_PEERS names n7"),
    ({"PAXOS_PEERS": "n1=h:1,n1=h:2"}, [], "PAXOS_PEERS names n1 twice"),
    ({"PAXOS_PEERS": "h:1"}, [], "PAXOS_PEERS must be like n2=host:port"),
    ({}, ["--call-timeout-ms", "fast"], "--call-timeout-ms must be a whole number from 10"),
    ({}, ["--call-timeout-ms", "9"], "--call-timeout-ms must be a whole number from 10"),
    ({"PAXOS_BACKOFF": "maybe"}, [], "PAXOS_BACKOFF must be yes or no, and is 'maybe'"),
    ({"PAXOS_NUMBER_SCHEME": "odd"}, [], "PAXOS_NUMBER_SCHEME must be one of rounds, int"),
    (
        {"PAXOS_BACKOFF_BASE_MS": "3000"},
        [],
        "PAXOS_BACKOFF_BASE_MS must not be more than PAXOS_BACKOFF_MOST_MS",
    ),
    (
        {"PAXOS_STATUS_LIMIT_BYTES": "4000000"},
        [],
        "PAXOS_STATUS_LIMIT_BYTES must be at most half of PAXOS_MESSAGE_LIMIT_BYTES",
    ),
    ({}, ["--colour", "red"], "unrecognized arguments: --colour red"),
]


def test_good_settings_are_read() -> None:
    """From the environment, with the defaults for all the rest."""
    config = read_config([], GOOD)
    assert (config.node, config.members, config.cluster) == (2, (1, 2, 3), "lab")
    assert [str(address) for address in config.listen] == ["10.0.0.2:7000", "10.1.0.2:7000"]
    assert {peer: str(address) for peer, address in config.peers} == {
        1: "10.0.0.1:7000",
        3: "10.1.0.3:7000",
    }
    assert config.core() == Settings()


def test_a_flag_wins_over_the_environment() -> None:
    """What is typed is meant."""
    environment = {**GOOD, "PAXOS_PATIENCE_MS": "100", "PAXOS_NUMBER_SCHEME": "ranges"}
    config = read_config(["--patience-ms", "200"], environment)
    assert config.core().patience_ms == 200
    assert config.core().scheme is NumberScheme.RANGES


@pytest.mark.parametrize(("changed", "flags", "sentence"), BAD)
def test_a_bad_setting_is_refused_by_name(
    changed: dict[str, str], flags: list[str], sentence: str
) -> None:
    """One sentence says which setting, what it must be and what it is."""
    with pytest.raises(BadConfiguration) as caught:
        read_config(flags, {**GOOD, **changed})
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("missing", sorted(set(GOOD) - {"PAXOS_PEERS"}))
def test_a_missing_setting_is_named(missing: str) -> None:
    """Variable and flag, and what it is for."""
    environment = {name: value for name, value in GOOD.items() if name != missing}
    with pytest.raises(BadConfiguration, match=f"^{missing} \\(or --[a-z-]+\\) must be given: "):
        read_config([], environment)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["serve", "--node", "x"], "error: --node must be a node's name, n1 to n99, and is 'x'"),
        (["sing"], "error: no command is called 'sing'"),
        ([], "error: a command is missing"),
        (["format", "--node", "n1"], "error: the following arguments are required: --cluster"),
        (
            ["format-all", "--cluster", "lab", "--members", "1", "--root", "r"],
            "error: --members must be a list of nodes, such as n1,n2,n3, and is '1'",
        ),
        (
            ["format", "--cluster=c", "--node=n9", "--members=n1,n2", "--state-dir=d"],
            "error: --members must name the node, n9",
        ),
    ],
)
def test_a_bad_command_ends_with_2_and_one_sentence(arguments: list[str], sentence: str) -> None:
    """On standard error; standard output is the log's."""
    done = run_node(*arguments, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1


def test_help_names_every_setting() -> None:
    """With its variable and its default."""
    shown = re.sub(r"\s+", " ", run_node("serve", "--help").stdout)
    for doc in setting_docs():
        assert f"{doc.flag} …" in shown
        assert doc.variable in shown


def test_the_documented_settings_are_the_settings() -> None:
    """docs/settings.md holds the table that the code gives."""
    rows = [
        f"| `{doc.flag}` | `{doc.variable}` | {doc.unit} | {doc.default} | {doc.about} |"
        for doc in setting_docs()
    ]
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("| `--")] == rows


def test_what_is_told_of_the_settings_names_no_place() -> None:
    """A log may be shown to anyone: addresses and paths stay out of node_started."""
    shown = Config(
        node=1,
        members=(1,),
        cluster="lab",
        state_dir="/somewhere",
        listen=(),
        control_listen=read_config([], GOOD).control_listen,
    ).shown()
    assert "somewhere" not in str(shown)
    assert shown["call_timeout_ms"] == 1000
    assert not {"node", "listen", "peers", "state_dir"} & shown.keys()


def test_the_documented_exit_codes_are_the_exit_codes() -> None:
    """docs/settings.md lists each of node.ending."""
    source = (ROOT / "node" / "ending.py").read_text(encoding="utf-8")
    codes = re.findall(r"^EXIT_[A-Z_]+: Final = ([0-9]+)", source, flags=re.MULTILINE)
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| ([0-9]+) \|", text, flags=re.MULTILINE) == [*codes, "137"]
