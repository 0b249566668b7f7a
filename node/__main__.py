"""The node's command line: ``python -m node serve | format | format-all | read``."""

# ruff: noqa: T201 - a command line speaks by print.
import asyncio
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from node import unsafe
from node.config import (
    BadConfiguration,
    SentenceParser,
    parse_cluster,
    parse_members,
    parse_node,
    read_config,
)
from node.directories import format_all, format_one, read_directory
from node.ending import EXIT_BUG, EXIT_CONFIGURATION, EXIT_STATE_REFUSED
from node.serve import serve
from paxos.storage import StorageError

Parsed = TypeVar("Parsed")

USAGE = """usage: python -m node COMMAND …

  serve        runs a node; every setting is a flag or an environment variable
  format       makes one state directory: --cluster --node --members --state-dir
  format-all   makes those of a whole cluster, once: --cluster --members --root
  read         prints what a state directory holds, as JSON: read DIRECTORY

COMMAND --help says more; docs/settings.md lists the settings and the exit codes.
"""

SWITCH_INTERVAL_S: Final = 0.0005
"""How long the loop's thread keeps the interpreter's lock while another waits for it."""


def main(arguments: list[str]) -> int:
    """Carry out one command; returns the exit code."""
    try:
        return _command(arguments)
    except BadConfiguration as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_CONFIGURATION
    except StorageError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_STATE_REFUSED
    except Exception as error:  # The root of the process.
        traceback.print_exception(error)
        return EXIT_BUG


def _command(arguments: list[str]) -> int:
    match arguments:
        case ["serve", *rest]:
            return _serve(rest)
        case ["format", *rest]:
            return _format(rest)
        case ["format-all", *rest]:
            return _format_all(rest)
        case ["read", *rest]:
            return _read(rest)
        case ["--help" | "-h"]:
            print(USAGE, end="")
            return 0
        case []:
            raise BadConfiguration("a command is missing: see python -m node --help")
        case _:
            raise BadConfiguration(f"no command is called {arguments[0]!r}: see --help")


def _serve(arguments: list[str]) -> int:
    config = read_config(arguments, os.environ)
    played = unsafe.played_by(config)
    config = config.with_core(played.settings)
    # What libraries have to say goes to standard error; standard output is the log.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    # gRPC wakes the loop from a thread of its own, which must get the
    # interpreter's lock first: 5 ms, the default, is as long as a decision.
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    return asyncio.run(serve(config, played))


def _format(arguments: list[str]) -> int:
    parser = SentenceParser(prog="node format")
    parser.add_argument("--cluster", required=True, help="the cluster's name")
    parser.add_argument("--node", required=True, help="whose state it is: n1")
    parser.add_argument("--members", required=True, help="all nodes: n1,n2,n3")
    parser.add_argument("--state-dir", required=True, help="an empty directory")
    given = parser.parse_args(arguments)
    members = _parsed("--members", parse_members, given.members)
    node = _parsed("--node", parse_node, given.node)
    if node not in members:
        raise BadConfiguration(f"--members must name the node, {given.node}")
    cluster = _parsed("--cluster", parse_cluster, given.cluster)
    format_one(Path(given.state_dir), cluster, node, members)
    print(f"formatted {given.state_dir} for {given.node} of {cluster}")
    return 0


def _format_all(arguments: list[str]) -> int:
    parser = SentenceParser(prog="node format-all")
    parser.add_argument("--cluster", required=True, help="the cluster's name")
    parser.add_argument("--members", required=True, help="all nodes: n1,n2,n3")
    parser.add_argument("--root", required=True, help="holds a directory per node")
    given = parser.parse_args(arguments)
    members = _parsed("--members", parse_members, given.members)
    cluster = _parsed("--cluster", parse_cluster, given.cluster)
    if format_all(Path(given.root), cluster, members):
        print(f"formatted {len(members)} nodes of {cluster}")
    else:
        print(f"all {len(members)} nodes of {cluster} are formatted already")
    return 0


def _read(arguments: list[str]) -> int:
    parser = SentenceParser(prog="node read")
    parser.add_argument("directory", help="a state directory")
    given = parser.parse_args(arguments)
    print(json.dumps(read_directory(Path(given.directory)), ensure_ascii=False))
    return 0


def _parsed(flag: str, parse: Callable[[str], Parsed], text: str) -> Parsed:
    try:
        return parse(text)
    except BadConfiguration as error:
        raise BadConfiguration(f"{flag} {error}, and is {text!r}") from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
