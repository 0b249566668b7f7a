"""A cluster under the page's commands: one run, from make-whole to its folder.

It is played by what plays scenarios (:class:`~orchestrator.runner.Runner`,
:class:`~orchestrator.stage.Stage`): the same faults, confirmed and undone the
same way, and in the end the same folder. Used by the lab's thread alone.
"""

import contextlib
import json
import shutil
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Final

from orchestrator.clients import Clients, NodeSilent, at_once
from orchestrator.cluster import Cluster, Condition, Exit, Follower, LabError
from orchestrator.collect import collect, new_run_name
from orchestrator.faults import KILLED, Faults, write_disk_read
from orchestrator.interrupts import undisturbed
from orchestrator.journal import NODE as LAB
from orchestrator.journal import Journal
from orchestrator.leftovers import aside_of, held
from orchestrator.operations import Operations
from orchestrator.places import Places
from orchestrator.played import Played
from orchestrator.ready import running
from orchestrator.runner import Runner, make_whole
from orchestrator.stage import Stage, StepFailed
from orchestrator.watch import Watch
from orchestrator.web.commands import InForce, Order, Situation, read_orders, said_of
from orchestrator.web.desk import Live
from orchestrator.web.feed import Bells, Feed
from orchestrator.web.judge import Judge
from orchestrator.web.notes import Notes, as_yaml
from orchestrator.web.safety import Refusal, sentence
from orchestrator.web.seen import Seen, Sight, cut_off
from paxos.events import Line, encode, narrate
from paxos.scenario import model as do

FIRST: Final = "live-1"
FEED: Final = "events.jsonl"
_DRAIN_LIMIT_S: Final = 5.0
_NOTICE_LIMIT_S: Final = 1.0
_TOLD: Final = frozenset({"fault_applied", "fault_undone"})
_DONE_TO_DISK: Final = {
    "corrupt": "its disk was damaged",
    "lose": "its disk was emptied",
    "fail_sync": "its next sync still fails",
    "tear": "its next power loss still tears a record",
}
_KEEPS_DOWN: Final = frozenset({"corrupt", "lose"})
_ARMED: Final = frozenset({"fail_sync", "tear"})


class _Watch(Watch):
    """A watch whose run may begin further instances."""

    def grow(self) -> None:
        """Take in the instances that the mapping holds now."""
        with self._changed:
            # No line of theirs can have come: their numbers are above all that nodes know of.
            self.lines._numbers = frozenset(self.lines.instances.values())


class _Faults(Faults):
    """Faults, and ends of nodes that nobody commanded."""

    def notice(self, node: str, limit_s: float) -> Exit | None:
        """A node has ended by another's hand: say so, and bring it back in the end."""
        exit_ = self._cluster.wait_exit(node, limit_s)
        if exit_ is not None:
            self._enter_down(node, "kill" if exit_.code == KILLED else "stop")
            self._write_exit(node, exit_)
        return exit_


class LiveRun(Runner):
    """One live run. Implements ``AtWork``.

    Args:
        places: where the run's folder is made.
        cluster: where; closed in the end, with ``clients``.
        clients: asks its nodes.
        bells: rung when there is something new.
        hurts_disks: whether disks may be hurt.

    Raises:
        LabError: the cluster is not as it must be; it is let go of.
    """

    def __init__(
        self,
        places: Places,
        cluster: Cluster,
        clients: Clients,
        bells: Bells,
        *,
        hurts_disks: bool,
    ) -> None:
        super().__init__(cluster, clients)
        self._places = places
        self._bells = bells
        self._notes = Notes(cluster.members)
        self._sight = Sight()
        self._settings: dict[str, Any] = {}
        self._armed: set[str] = set()
        self._step = 0
        self._known: dict[str, Condition] = {}
        with contextlib.ExitStack() as opened:
            opened.callback(cluster.close)
            opened.callback(clients.close)
            try:
                make_whole(cluster, clients)
                infos = at_once(clients.info, cluster.members)
                first = max(info.highest_instance for info in infos) + 1
                self._situation = Situation(cluster.members, {FIRST: first}, hurts_disks)
                with contextlib.ExitStack() as made:
                    self._set_up(new_run_name(places, "live"), opened, made)
                    made.pop_all()
            except NodeSilent as silent:
                raise LabError(str(silent)) from silent
            self._open = opened.pop_all()

    def _set_up(self, run: str, opened: contextlib.ExitStack, made: contextlib.ExitStack) -> None:
        """Begin the run.

        Args:
            run: its name.
            opened: closes in the end what is opened here.
            made: takes back what is made here, if it does not come to a run.
        """
        self._folder = self._places.logs / run
        self._folder.mkdir(parents=True)
        made.callback(shutil.rmtree, self._folder, ignore_errors=True)
        feed = Feed(self._folder / FEED, self._bells)
        made.callback(feed.close)
        self.live = Live(run, feed)
        self._watch = _Watch(self._situation.instances, self._take)
        journal = Journal(self._watch.put)
        operations = Operations(self._clients, journal)
        scenario = self._notes.played(self._situation.instances)
        instances = self._situation.instances
        self._played = Played(scenario, run, instances, self._watch, journal, operations)
        self._judge = Judge(self._folder / FEED, lambda: feed.size, self._table, self._publish)
        opened.callback(self._judge.close)
        self._follower: Follower = self._cluster.follow(self._watch.put)
        opened.callback(self._follower.close)
        self._began = time.monotonic()
        self._begin(self._played)
        self._faults = _Faults(
            self._cluster, self._clients, journal, instances, lambda node: self._settle([node])
        )
        self._stage = Stage(
            self._cluster, self._played, self._faults, self._clients, self._configure_all
        )
        self._write_table()

    # --- what the desk asks ---------------------------------------------------

    def state(self) -> dict[str, Any]:
        """The part of ``live.json`` that is this run's own."""
        with contextlib.suppress(LabError):
            self._conditions()
        conditions = self._known
        world = self._cluster.world
        what = "containers" if world == "docker" else "local processes"
        return {
            "v": 1,
            "available": True,
            "why": self.live.feed.failure
            or f"A live run goes on, on {len(self._cluster.members)} {what}.",
            "world": world,
            "members": list(self._cluster.members),
            "instances": dict(self._situation.instances),
            "instance": self._situation.current,
            "down": [n for n, found in conditions.items() if found is Condition.EXITED],
            "paused": [n for n, found in conditions.items() if found is Condition.PAUSED],
            "faults": [fault.as_json() for fault in self._situation.in_force.values()],
            "commands": list(self._situation.verbs),
        }

    def command(self, data: Mapping[str, Any]) -> str:
        """Carry out one step; what was done, in a sentence."""
        try:
            # One that has just ended by itself is to be known as down.
            self.look()
        except LabError as error:
            raise Refusal(503, sentence(f"Nothing was done: {error}")) from error
        sentences = []
        for order in read_orders(data, self._situation, self._known):
            seen = self._seen()
            sentences.append(self._carry_out(order))
            self._notes.add(order.file, seen)
        self._notes.name(data)
        return " ".join(sentences)

    def look(self) -> bool:
        """Notice nodes that ended by themselves, or by another's hand."""
        noticed = False
        for node, condition in self._conditions().items():
            if condition is not Condition.EXITED or node in self._faults.down:
                continue
            struck = node in self._armed
            self._armed.discard(node)
            notice = self._faults.exits if struck else self._faults.notice
            exit_ = notice(node, _NOTICE_LIMIT_S)
            if exit_ is not None:
                noticed = True
                by_hand = "kill" if exit_.code == KILLED else "stop"
                step = {"exits": {"node": node, "code": exit_.code}}
                self._notes.add([step if struck else {by_hand: [node]}], self._seen())
                self._read_disks([node])
        return noticed

    def end(self) -> dict[str, Any]:
        """Undo every fault, write the run's folder."""
        with undisturbed(), self._open:
            self._tell_progress("Every fault is undone, and every node names its last line.")
            with contextlib.suppress(LabError, NodeSilent):
                # One that has just ended by itself is to be started, too.
                self.look()
            try:
                self._notes.end(self._seen())
            except Exception:  # Whatever is wrong with the notes, the faults are undone.
                traceback.print_exc(file=sys.stderr)
            down = self._faults.down
            self._played.failure = self._undo()
            self._played.left = self._left()
            # Where the file is played on such a cluster, nothing else would start them.
            started = [node for node in down if node not in self._faults.down]
            if started:
                self._notes.steps.append({"start": started})
            self._played.operations.give_up()
            self._played.journal.write(
                "run_finished",
                completed=self._played.failure is None,
                reason=self._played.failure or "",
            )
            self._played.command_count = self._notes.command_count
            self._played.scenario = self._notes.played(self._situation.instances)
            self._played.elapsed_s = time.monotonic() - self._began
            try:
                self._end(self._played, self._follower.drain)
            except NodeSilent as silent:
                raise LabError(f"the run broke off: {silent}") from silent
            self._follower.close()
            # What it would say is said of the whole run now, with all of the machine.
            self._judge.close()
            return self._collect()

    # --- commands -------------------------------------------------------------

    def _carry_out(self, order: Order) -> str:
        if order.new_instance:
            self._make_instance(order.new_instance)
        before = len(self._watch.of_node(LAB))
        self._step += 1
        action = order.step.action
        try:
            self._stage.perform(self._step, order.step)
        except StepFailed as failed:
            self._mend(action)
            raise Refusal(500, sentence(f"Not done: {failed.__cause__ or failed}")) from failed
        except Exception:
            # Our own fault: it may be in force in part, and nothing would say so.
            self._mend(action)
            raise
        self._remember(order)
        told = [line for line in self._watch.of_node(LAB)[before:] if line["event"] in _TOLD]
        return " ".join(narrate(line) for line in told) or said_of(action)

    def _remember(self, order: Order) -> None:
        """What the next command is checked against."""
        in_force = self._situation.in_force
        match order.step.action:
            case do.Propose(name=name):
                self._situation.operations.add(name)
            case do.Cut() | do.GateRule() as fault:
                verbs = [(next(iter(step)), step) for step in order.file]
                names = [
                    step[verb]["name"] if isinstance(step[verb], Mapping) else verb
                    for verb, step in verbs
                ]
                in_force[fault.name] = InForce(fault, tuple(names))
            case do.Heal(names=names):
                for name in names or tuple(in_force):
                    del in_force[name]
            case do.Release(name=name, first=None):
                del in_force[name]
            case do.Command(verb=verb, nodes=nodes) if verb in {"kill", "power_loss", "stop"}:
                self._armed.difference_update(nodes)
                self._read_disks(nodes)
            case do.Failpoint(node=node):
                self._armed.add(node)
            case do.DiskFault(node=node, fault="fail_sync"):
                self._armed.add(node)
            case _:
                pass

    def _mend(self, action: do.Action) -> None:
        """Take back a fault of the network that could not be confirmed."""
        if isinstance(action, do.Cut | do.GateRule):
            with contextlib.suppress(LabError, NodeSilent):
                self._faults.network.heal([action.name])

    def _make_instance(self, name: str) -> None:
        up = running(self._cluster)
        highest = max(self._situation.instances.values())
        with contextlib.suppress(NodeSilent):
            infos = at_once(self._clients.info, up)
            highest = max([highest, *(info.highest_instance for info in infos)])
        self._situation.instances[name] = highest + 1
        self._watch.grow()
        self._settle(up)
        self._write_table()

    def _configure_all(self, changed: dict[str, Any]) -> None:
        self._settings.update(changed)
        self._settle(running(self._cluster))

    def _settle(self, nodes: Sequence[str]) -> None:
        """Bring nodes to the run's settings."""
        if self._settings:
            at_once(lambda node: self._configure(node, self._played, self._settings), nodes)

    def _read_disks(self, nodes: Sequence[str]) -> None:
        """Say what is on the disks of nodes that are down: how their last batch ended."""
        for node in nodes:
            with contextlib.suppress(LabError):
                if self._follower.drain(node, _DRAIN_LIMIT_S):
                    write_disk_read(self._cluster, self._played.journal, node)

    def _conditions(self) -> dict[str, Condition]:
        members = self._cluster.members
        found = at_once(self._cluster.condition, members)
        self._known = dict(zip(members, found, strict=True))
        return self._known

    def _seen(self) -> Seen:
        """What there is to be seen now, as far as a scenario could wait for it."""
        faults = [fault.action for fault in self._situation.in_force.values()]
        cuts = [fault for fault in faults if isinstance(fault, do.Cut)]
        alone = cut_off(self._cluster.members, self._known, cuts)
        operations = list(self._played.operations.all)
        seen = self._watch.wait_for(
            lambda lines: self._sight.look(
                lines, operations, alone, has_rules=len(cuts) < len(faults)
            ),
            0.0,
        )
        assert seen is not None, "one looks before one waits"
        return seen

    # --- lines ----------------------------------------------------------------

    def _take(self, lines: list[Line]) -> None:
        self.live.feed.append([encode(line) for line in lines])
        self._judge.notice()

    def _publish(self, found: dict[str, bytes]) -> None:
        # Another one, for a listener may be going through what was said before.
        self.live.judged = {**self.live.judged, **found}
        self._bells.ring()

    def _table(self) -> dict[str, Any]:
        played = self._played
        return {
            "v": 1,
            "run": played.run,
            "scenario": played.scenario.name,
            "title": played.scenario.title,
            "world": self._cluster.world,
            "members": list(self._cluster.members),
            "guests": [],
            "instances": dict(played.instances),
            # A copy: the run's beginning and its end enter them, and the judge asks meanwhile.
            "pieces": {node: list(own) for node, own in dict(played.pieces).items()},
            "settings": played.settings,
            "variant": None,
        }

    def _write_table(self) -> None:
        """So that the folder of a lab that is killed can be opened, too."""
        table = json.dumps(self._table(), ensure_ascii=False, indent=1) + "\n"
        fresh = self._folder / ".run.json"
        with contextlib.suppress(OSError):
            fresh.write_text(table, encoding="utf-8")
            fresh.replace(self._folder / "run.json")

    # --- the end ----------------------------------------------------------------

    def _undo(self) -> str | None:
        """Undo every fault; what could not be undone."""
        try:
            self._faults.__exit__(None, None, None)
            # A cluster that ends with its run gets no node back by that.
            self._start_those_down()
        except (LabError, NodeSilent) as error:
            return str(error)
        except Exception as error:  # Whatever it was, what has been logged makes a run.
            traceback.print_exc(file=sys.stderr)
            return f"the faults could not be undone: {error!r}"
        return None

    def _start_those_down(self) -> None:
        """Start the nodes that are down, but for those whose disk was changed while they were.

        They would refuse: an acceptor that forgets what it has promised may let two values be
        chosen.

        Raises:
            LabError: some could not be started; all others are.
        """
        failures = []
        changed = self._hurt_disks()
        for node, condition in self._conditions().items():
            if condition is not Condition.EXITED or changed.get(node) in _KEEPS_DOWN:
                continue
            try:
                self._faults.start([node])
            except (LabError, NodeSilent) as error:
                failures.append(f"{node} could not be started ({error})")
        if failures:
            raise LabError("not everything could be undone: " + "; ".join(failures))

    def _hurt_disks(self) -> dict[str, str]:
        """The nodes whose disk is not as it was, or is to fail; and what was done to it."""
        found: dict[str, str] = {}
        for line in self._watch.of_node(LAB):
            match line:
                case {"event": "node_exited", "of": node} if found.get(node) in _ARMED:
                    # What a process was told to do ends with it.
                    del found[node]
                case {"event": "fault_applied", "fault": "disk_fault", "targets": [node]}:
                    found[node] = line["detail"]["fault"]
                case _:
                    pass
        return found

    def _left(self) -> tuple[str, ...]:
        """What is in force still, whatever has been undone: each in a clause."""
        changed = self._hurt_disks()
        left = []
        try:
            conditions = self._conditions()
        except LabError as error:
            return (f"what the nodes do could not be asked: {error}",)
        for node, condition in conditions.items():
            why = _DONE_TO_DISK.get(changed.get(node, ""))
            if condition is Condition.EXITED:
                left.append(f"{node} stays down" + (f": {why}" if why else ""))
            elif condition is Condition.PAUSED:
                left.append(f"{node} stays paused")
            elif why:
                left.append(f"{node} runs, and {why}")
        return tuple(left)

    def _collect(self) -> dict[str, Any]:
        """Turn the feed's folder into a run's; readers of the feed go on reading it."""
        run = self.live.run
        aside = aside_of(self._places.logs, run)
        try:
            with held(self._folder):
                self._folder.rename(aside)
                result = collect(self._places, self._cluster, self._played, self._tell_progress)
            if self._notes.steps:
                data = self._notes.data(run, self._situation.instances)
                (self._folder / "scenario.yaml").write_text(as_yaml(data), encoding="utf-8")
        except BaseException:
            if self._folder.exists():
                shutil.rmtree(aside, ignore_errors=True)
            else:
                aside.rename(self._folder)
            raise
        shutil.rmtree(aside, ignore_errors=True)
        left = self._played.failure
        told = (
            f"The run has ended and is in {Places.shown(self._folder)}: "
            f"safety is {result.verdict.verdict}."
        )
        stays = self._played.left
        if left is not None:
            told += f" But not all could be undone: {left}."
        elif stays:
            told += f" {'; '.join(stays)}."
        return {
            "run": run,
            "verdict": result.verdict.verdict,
            "sentence": told,
            # The disks of a cluster that ends with its run are gone with it.
            "is_undone": left is None and not (stays and self._cluster.outlives_run),
        }

    def _tell_progress(self, sentence: str) -> None:
        self.live.progress = sentence
        self._bells.ring()
