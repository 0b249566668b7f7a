"""What is in force, how it is undone, and the lines that say so."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.clients import NodeSilent
from orchestrator.cluster import LabError
from orchestrator.journal import Journal
from paxos.events import node_key


@dataclass(slots=True)
class Ledger:
    """Every fault in force with its undoing, in the order in which they were applied.

    An undoing is entered *before* its fault is applied: one that was applied
    in part, or whose confirmation failed, is undone as well.
    """

    journal: Journal
    _undo: dict[str, Callable[[], object]] = field(default_factory=dict)

    def enter(self, key: str, undo: Callable[[], object]) -> None:
        """Note how a fault that is about to be applied is undone."""
        self._undo[key] = undo

    def strike(self, key: str) -> None:
        """Forget a fault that is over."""
        self._undo.pop(key, None)

    def undo_all(self) -> None:
        """Undo every fault, the last one first.

        Raises:
            LabError: some could not be undone; all others are, and the text
                names those that are left.
        """
        failures = []
        while self._undo:
            key = next(reversed(self._undo))
            undo = self._undo.pop(key)
            try:
                undo()
            except (LabError, NodeSilent) as error:
                failures.append(f"{key} ({error})")
            except Exception as error:
                # The root of a task: whatever one undoing meets, the others must be tried.
                failures.append(f"{key} ({error!r})")
        if failures:
            raise LabError("not everything could be undone: " + "; ".join(failures))

    def claim(
        self,
        fault: str,
        targets: Sequence[str],
        mechanism: str,
        evidence: str,
        started: float,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Say that a fault is in force; only once that has been confirmed.

        Args:
            fault: its verb.
            targets: the nodes that it is done to.
            mechanism: what made it: signal, docker, cable, gate, failpoint.
            evidence: what confirmed it.
            started: when it was begun, of ``time.monotonic()``.
            detail: what a reader needs beyond the targets.
        """
        told = _told(fault, targets, mechanism, evidence, started, detail)
        self.journal.write("fault_applied", **told)

    def claim_undone(
        self,
        fault: str,
        targets: Sequence[str],
        mechanism: str,
        evidence: str,
        started: float,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Say that a fault is over; only once that has been confirmed.

        Fault, targets and detail are those of its claim, so that a reader of
        the log knows which of two faults is over.
        """
        told = _told(fault, targets, mechanism, evidence, started, detail)
        self.journal.write("fault_undone", **told)


def _told(
    fault: str,
    targets: Sequence[str],
    mechanism: str,
    evidence: str,
    started: float,
    detail: Mapping[str, Any] | None,
) -> dict[str, Any]:
    return {
        "fault": fault,
        "targets": sorted(targets, key=node_key),
        "mechanism": mechanism,
        "detail": dict(detail or {}),
        "evidence": evidence,
        "elapsed_ms": round((time.monotonic() - started) * 1000),
    }
