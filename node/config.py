"""Every setting of a node: its flag, its environment variable, its unit and its default.

A setting ``call_timeout_ms`` is given as ``--call-timeout-ms 1000`` or as
``PAXOS_CALL_TIMEOUT_MS=1000``; a flag wins. ``docs/settings.md`` is made of
this file. What all nodes must agree on is part of the wire contract and no
setting (see ``node/codec.py``).
"""

import argparse
import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from node.codec import NUMBER_LIMIT
from paxos.protocol import NodeId, NumberScheme, Settings, node_name

PREFIX: Final = "PAXOS_"
_CORE: Final = Settings()


class BadConfiguration(Exception):
    """A setting that will not do; the text names it and says what it should be."""


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def _setting(
    parse: Callable[[str], Any],
    about: str,
    *,
    unit: str = "",
    default: Any = dataclasses.MISSING,
    shown: str | None = None,
) -> Any:
    metadata = {"parse": parse, "about": about, "unit": unit, "shown": shown}
    return dataclasses.field(default=default, metadata=metadata)


def _count(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch("[0-9]+", text) or not least <= int(text) <= most:
            raise BadConfiguration(f"must be a whole number from {least} to {most}")
        return int(text)

    return parse


def _number(about: str, unit: str, default: int, least: int, most: int) -> Any:
    return _setting(_count(least, most), about, unit=unit, default=default)


def _text(pattern: str, form: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise BadConfiguration(f"must be {form}")
        return text

    return parse


def parse_node(text: str) -> NodeId:
    """Read a member's name: ``n5`` is 5.

    Raises:
        BadConfiguration: it is none.
    """
    if not re.fullmatch("n[1-9][0-9]?", text):
        raise BadConfiguration("must be a node's name, n1 to n99")
    return int(text[1:])


def parse_members(text: str) -> tuple[NodeId, ...]:
    """Read a list of members: ``n1,n2,n3``.

    Raises:
        BadConfiguration: it is none.
    """
    try:
        members = [parse_node(name.strip()) for name in text.split(",")]
    except BadConfiguration as error:
        raise BadConfiguration("must be a list of nodes, such as n1,n2,n3") from error
    if len(set(members)) != len(members):
        raise BadConfiguration("names a node twice")
    return tuple(sorted(members))


parse_cluster: Final = _text(
    "[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
    "1 to 64 letters, digits, dots, dashes or underscores",
)


def _address(text: str) -> Address:
    host, colon, port = text.strip().rpartition(":")
    if not colon or not host or not re.fullmatch("[0-9]{1,5}", port):
        raise BadConfiguration("must be host:port, such as 127.0.0.1:7001")
    if not 1 <= int(port) <= 65535:
        raise BadConfiguration("must have a port from 1 to 65535")
    return Address(host, int(port))


def _addresses(text: str) -> tuple[Address, ...]:
    return tuple(_address(part) for part in text.split(","))


def _peers(text: str) -> tuple[tuple[NodeId, Address], ...]:
    peers: dict[NodeId, Address] = {}
    for part in text.split(",") if text.strip() else ():
        name, equals, address = part.strip().partition("=")
        if not equals:
            raise BadConfiguration("must be like n2=host:port,n3=host:port")
        peer = parse_node(name)
        if peer in peers:
            raise BadConfiguration(f"names {name} twice")
        peers[peer] = _address(address)
    return tuple(sorted(peers.items()))


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise BadConfiguration("must be yes or no")
    return text == "yes"


def _scheme(text: str) -> NumberScheme:
    try:
        return NumberScheme(text)
    except ValueError as error:
        raise BadConfiguration(f"must be one of {', '.join(NumberScheme)}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings of one node. Build it with :func:`read_config`."""

    node: NodeId = _setting(parse_node, "Which node this is.")  # noqa: RUF009 - it is a field
    members: tuple[NodeId, ...] = _setting(
        parse_members, "The acceptors of the cluster, this node among them."
    )
    cluster: str = _setting(
        parse_cluster, "The cluster's name; must be that of the state directory."
    )
    state_dir: str = _setting(
        _text(".+", "a directory"), "The state directory, made by `node format`."
    )
    listen: tuple[Address, ...] = _setting(
        _addresses, "Where peers and clients reach this node: one address or several."
    )
    control_listen: Address = _setting(  # noqa: RUF009 - it is a field
        _address,
        "Where the orchestrator reaches it; no peer should be able to. Clients can use it too.",
    )
    peers: tuple[tuple[NodeId, Address], ...] = _setting(
        _peers, "Where this node reaches each other member: n2=host:port,…", default=()
    )
    health_file: str = _setting(
        _text(".+", "a file"),
        "A file that is touched while the node serves; on tmpfs, best.",
        default="",
    )
    health_interval_ms: int = _number("How often it is touched.", "ms", 500, 10, 60_000)
    seed: int | None = _setting(
        _count(0, 2**64 - 1),
        "Decides chance (jitter, drops); without it the operating system does.",
        default=None,
    )
    unsafe_variant: str = _setting(
        _text("[a-z0-9-]+", "the name of a broken variant"),
        "Runs a protocol that is broken on purpose. Not for data.",
        default="",
    )
    unsafe_manual: bool = _setting(
        _yes_or_no,
        "Lets no message and no timer move by itself: the orchestrator hands over each. "
        "Who can inject can forge. Not for data.",
        default=False,
        shown="no",
    )
    unsafe_faults: bool = _setting(
        _yes_or_no,
        "Lets the orchestrator make the disk fail. Not for data.",
        default=False,
        shown="no",
    )

    propose_timeout_ms: int = _number(
        "How long a client waits that doesn't say how long.", "ms", 10_000, 1, 3_600_000
    )
    propose_timeout_most_ms: int = _number(
        "The longest that a client may wait.", "ms", 600_000, 1, 3_600_000
    )
    call_timeout_ms: int = _number("The deadline of a call to a peer.", "ms", 1_000, 10, 600_000)
    stop_grace_ms: int = _number(
        "How long a stop waits for replies that are on their way.",
        "ms",
        500,
        0,
        60_000,
    )
    reconnect_least_ms: int = _number(
        "The first wait before a lost connection is tried again.",
        "ms",
        100,
        10,
        60_000,
    )
    reconnect_most_ms: int = _number("The longest such wait.", "ms", 500, 10, 60_000)
    keepalive_time_ms: int = _number(
        "How long a silent connection is trusted.", "ms", 1_000, 500, 600_000
    )
    keepalive_timeout_ms: int = _number(
        "How long its peer has to answer a ping.", "ms", 1_000, 10, 600_000
    )
    refusal_interval_ms: int = _number(
        "How far apart lines about refusals of one kind are.",
        "ms",
        5_000,
        10,
        600_000,
    )

    queue_limit_count: int = _number(
        "How many requests may wait for the driver.", "", 4_096, 1, 1_000_000
    )
    batch_limit_count: int = _number(
        "How many instances share one sync at most.", "", 128, 1, 100_000
    )
    propose_limit_count: int = _number(
        "How many clients may wait at once.", "", 1_024, 1, 1_000_000
    )
    call_limit_count: int = _number("How many calls are served at once.", "", 4_096, 1, 1_000_000)
    instance_limit_count: int = _number(
        "How many instances the node remembers; no new one is begun beyond.",
        "",
        100_000,
        1,
        100_000_000,
    )
    message_limit_bytes: int = _number(
        "The largest message that is read.",
        "bytes",
        4_194_304,
        1_048_576,
        268_435_456,
    )
    status_limit_count: int = _number(
        "How many instances a page of Status holds.", "", 100, 1, 10_000
    )
    status_limit_bytes: int = _number(
        "How many bytes of values end a page of Status.",
        "bytes",
        524_288,
        1,
        134_217_728,
    )
    held_limit_count: int = _number(
        "How many messages the gate holds; further ones are dropped.",
        "",
        10_000,
        1,
        1_000_000,
    )
    rule_limit_count: int = _number(
        "How many rules the gate takes.",
        "",
        1_000,
        1,
        100_000,
    )
    settings_limit_count: int = _number(
        "How many ranges of instances may have settings of their own.",
        "",
        10_000,
        1,
        1_000_000,
    )

    number_scheme: NumberScheme = _setting(  # noqa: RUF009 - it is a field
        _scheme,
        "How a proposer chooses its next round: rounds, interleaved or ranges.",
        default=_CORE.scheme,
    )
    patience_ms: int = _number(
        "How long a proposer waits for a quorum in either phase.",
        "ms",
        _CORE.patience_ms,
        1,
        600_000,
    )
    backoff: bool = _setting(
        _yes_or_no,
        "Whether a proposer waits before it tries again.",
        default=_CORE.backoff,
        shown="yes",
    )
    backoff_base_ms: int = _number(
        "The longest wait before its second attempt; doubles with every further one.",
        "ms",
        _CORE.backoff_base_ms,
        0,
        600_000,
    )
    backoff_most_ms: int = _number(
        "Where the doubling ends.", "ms", _CORE.backoff_most_ms, 0, 600_000
    )
    attempt_limit_count: int = _number(
        "How many ballots it begins once no client waits any more.",
        "",
        _CORE.attempt_limit,
        1,
        1_000_000,
    )
    learn_interval_ms: int = _number(
        "How often a peer is told again, and how soon a node first asks.",
        "ms",
        _CORE.learn_interval_ms,
        1,
        600_000,
    )
    learn_timeout_ms: int = _number(
        "After how long a node that can't find out starts a ballot of its own.",
        "ms",
        _CORE.learn_timeout_ms,
        1,
        600_000,
    )
    own_ballots: bool = _setting(
        _yes_or_no,
        "Whether it does so.",
        default=_CORE.own_ballots,
        shown="yes",
    )

    def with_core(self, changed: Mapping[str, Any]) -> "Config":
        """The same with some of the core's settings changed, by the core's names."""
        own = {"scheme": "number_scheme", "attempt_limit": "attempt_limit_count"}
        return dataclasses.replace(self, **{own.get(k, k): v for k, v in changed.items()})

    def core(self) -> Settings:
        """The settings that the core knows."""
        return Settings(
            scheme=self.number_scheme,
            patience_ms=self.patience_ms,
            backoff=self.backoff,
            backoff_base_ms=self.backoff_base_ms,
            backoff_most_ms=self.backoff_most_ms,
            attempt_limit=self.attempt_limit_count,
            learn_interval_ms=self.learn_interval_ms,
            learn_timeout_ms=self.learn_timeout_ms,
            own_ballots=self.own_ballots,
        )

    def shown(self) -> dict[str, Any]:
        """What ``node_started`` tells of the settings: all but identity and places."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if isinstance(getattr(self, field.name), int | bool | NumberScheme)
            and field.name != "node"
        }


@dataclass(frozen=True, slots=True)
class SettingDoc:
    """One row of the table in ``docs/settings.md``."""

    name: str
    unit: str
    default: str
    about: str

    @property
    def flag(self) -> str:
        """As on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """As in the environment."""
        return PREFIX + self.name.upper()


def setting_docs() -> list[SettingDoc]:
    """Every setting, in the order of :class:`Config`."""
    docs = []
    for field in dataclasses.fields(Config):
        if field.default is dataclasses.MISSING:
            default = "must be given"
        elif field.metadata["shown"] is not None:
            default = field.metadata["shown"]
        elif field.default in ("", None, ()):
            default = "none"
        else:
            default = str(field.default)
        docs.append(
            SettingDoc(field.name, field.metadata["unit"], default, field.metadata["about"])
        )
    return docs


def read_config(arguments: Sequence[str], environment: Mapping[str, str]) -> Config:
    """Read all settings from flags and environment.

    Raises:
        BadConfiguration: one sentence that names the setting and says what it
            should be.
    """
    parser = SentenceParser(prog="node serve", add_help=True)
    for doc in setting_docs():
        unit = f" [{doc.unit}]" if doc.unit else ""
        about = f"{doc.about}{unit} ({doc.default}) {doc.variable}"
        parser.add_argument(doc.flag, help=about.replace("%", "%%"), metavar="…")
    given = vars(parser.parse_args(arguments))
    values: dict[str, Any] = {}
    for field, doc in zip(dataclasses.fields(Config), setting_docs(), strict=True):
        text, place = given[field.name], doc.flag
        if text is None:
            text, place = environment.get(doc.variable), doc.variable
        if text is None:
            if field.default is dataclasses.MISSING:
                raise BadConfiguration(f"{doc.variable} (or {doc.flag}) must be given: {doc.about}")
            continue
        try:
            values[field.name] = field.metadata["parse"](_checked_text(text))
        except BadConfiguration as error:
            raise BadConfiguration(f"{place} {error}, and is {text!r}") from error
    config = Config(**values)
    _check_together(config)
    return config


def _checked_text(text: str) -> str:
    # Bytes that are no text come out of the environment as surrogates.
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise BadConfiguration("must be UTF-8 text")
    return text


def _check_together(config: Config) -> None:
    if config.node not in config.members:
        raise BadConfiguration(
            f"PAXOS_MEMBERS must name this node, {node_name(config.node)}, and doesn't"
        )
    others = [member for member in config.members if member != config.node]
    named = [peer for peer, _ in config.peers]
    for member in others:
        if member not in named:
            raise BadConfiguration(
                f"PAXOS_PEERS must say where {node_name(member)} is, which is a member"
            )
    for peer in named:
        if peer not in others:
            raise BadConfiguration(f"PAXOS_PEERS names {node_name(peer)}, which is no other member")
    if config.control_listen in config.listen:
        raise BadConfiguration(
            "PAXOS_CONTROL_LISTEN must be another address than PAXOS_LISTEN: "
            "whoever reaches control can kill the node"
        )
    for least, most in (
        ("backoff_base_ms", "backoff_most_ms"),
        ("reconnect_least_ms", "reconnect_most_ms"),
        ("propose_timeout_ms", "propose_timeout_most_ms"),
    ):
        if getattr(config, least) > getattr(config, most):
            raise BadConfiguration(
                f"{PREFIX}{least.upper()} must not be more than {PREFIX}{most.upper()}"
            )
    if 2 * config.status_limit_bytes > config.message_limit_bytes:
        raise BadConfiguration(
            "PAXOS_STATUS_LIMIT_BYTES must be at most half of PAXOS_MESSAGE_LIMIT_BYTES"
        )
    assert config.core().patience_ms <= NUMBER_LIMIT, "a log reader counts in doubles"


class SentenceParser(argparse.ArgumentParser):
    """Reports a wrong command line as every other wrong setting: in one sentence."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and ending the process."""
        raise BadConfiguration(message)
