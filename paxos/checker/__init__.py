"""The judge: a log in, a verdict with its evidence out.

It shares no code with the roles that it judges: it reads lines
(:mod:`paxos.events`) and knows nothing of who wrote them. The way through it:

``table``    what the run says of itself, in ``run.json`` or in its own lines;
``reader``   files and lines to a :class:`~paxos.checker.reader.Log`;
``order``    happened-before, and one sequence for the lines of many writers;
``history``  what each acceptor promised and accepted, what was chosen, and
             where lines are missing;
``rules``    R1 to R6, agreement, validity: a function each;
``facts``    what a rule hands out of what it judges by, if it is asked why;
``verdict``  ``ok``, ``violated`` or ``unknown``, for people and programs;
``why``      why this was refused, pushed, learned: the facts in sentences;
``stuck``    what a proposal without an answer is waiting for.

``docs/checker.md`` says for each rule what counts as evidence and what makes
it unknown.
"""

from paxos.checker.history import Chosen, Doubt
from paxos.checker.order import merge
from paxos.checker.reader import load_run, log_files, torn_ends, whole_lines
from paxos.checker.rules import RULES, Violation
from paxos.checker.table import Run, run_told
from paxos.checker.verdict import (
    OK,
    UNKNOWN,
    VIOLATED,
    RuleVerdict,
    Verdict,
    check_lines,
    check_path,
)
from paxos.checker.why import explain, explain_path
from paxos.events import LogFormatError

__all__ = [
    "OK",
    "RULES",
    "UNKNOWN",
    "VIOLATED",
    "Chosen",
    "Doubt",
    "LogFormatError",
    "RuleVerdict",
    "Run",
    "Verdict",
    "Violation",
    "check_lines",
    "check_path",
    "explain",
    "explain_path",
    "load_run",
    "log_files",
    "merge",
    "run_told",
    "torn_ends",
    "whole_lines",
]
