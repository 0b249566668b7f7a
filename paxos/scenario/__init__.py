"""Scenarios: what a step commands, what it waits for, and what must have happened.

Plain data comes in (:func:`parse`; YAML is read in ``orchestrator/``, a page
brings JSON), a checked :class:`Scenario` comes out, and :func:`judge` holds it
against the lines of a run. :func:`read_step` reads one step that was given by
hand. Nothing here acts: a world's runner does.
"""

from paxos.scenario.judge import Finding, Run, judge, learners
from paxos.scenario.model import VERSION, Scenario, Step
from paxos.scenario.parse import describe, parse
from paxos.scenario.pattern import Lines, Pattern, Sight, sentence
from paxos.scenario.reading import Path, ScenarioError, dotted
from paxos.scenario.steps import Names, read_step

__all__ = [
    "VERSION",
    "Finding",
    "Lines",
    "Names",
    "Path",
    "Pattern",
    "Run",
    "Scenario",
    "ScenarioError",
    "Sight",
    "Step",
    "describe",
    "dotted",
    "judge",
    "learners",
    "parse",
    "read_step",
    "sentence",
]
