"""The scenarios that a recipe may begin with, where the core came as one archive."""

import json
from functools import cache
from importlib.resources import files

from paxos.sandbox.recipe import Stories

FILE = "scenarios.json"
"""Lies beside this module in the archive: ``{"partition": {...}, "broken/...": {...}}``."""


@cache
def bundled_stories() -> Stories:
    """Every scenario as plain data, by name; none where the file is not there."""
    try:
        found: Stories = json.loads((files("paxos.sandbox") / FILE).read_bytes())
    except FileNotFoundError:
        return {}
    return found
