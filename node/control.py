"""The Control service: how the orchestrator steers this node.

It is served on the control address only. Whoever reaches it can kill the node.
"""

import asyncio
import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import grpc

from node.codec import NUMBER_LIMIT, WireError
from node.config import Config
from node.driver import Driver
from node.failpoints import Armed, Failpoint, Failpoints
from node.files import RealFiles
from node.gate import KINDS, SHARED, Action, Gate, Passage, Rule
from node.hand import Hand
from node.log import Log
from node.peers import CallFailed, Links, Peer
from node.refusals import Refused
from node.services import Behaviour, Context
from node.wire import control_pb2 as wire
from node.wire import paxos_pb2
from paxos.protocol import GUESTS, NodeId, NumberScheme, Settings

CONTROL: Final = wire.DESCRIPTOR.services_by_name["Control"]

INPUT_KINDS: Final = KINDS - {"probe"} | {"propose", "timeout", "link_up", "started"}
"""The inputs whose records a failpoint may mean."""

DURATION_LIMIT_MS: Final = 600_000
"""The longest delay, back-off or patience that can be asked for."""

COPIES_LIMIT_COUNT: Final = 9
"""How many times more a rule may let a message pass."""

ATTEMPT_LIMIT_COUNT: Final = 1_000_000
"""The highest limit of attempts that can be asked for."""

_WIRE_NAMES: Final = {"scheme": "number_scheme", "attempt_limit": "attempt_limit_count"}
"""The core's settings that go by another name on the wire and in the log."""

_FAILPOINTS: Final = {
    wire.ArmFailpointRequest.BEFORE_WRITE: Failpoint.BEFORE_WRITE,
    wire.ArmFailpointRequest.BEFORE_SYNC: Failpoint.BEFORE_SYNC,
    wire.ArmFailpointRequest.AFTER_SYNC: Failpoint.AFTER_SYNC,
    wire.ArmFailpointRequest.BETWEEN_SENDS: Failpoint.BETWEEN_SENDS,
    wire.ArmFailpointRequest.AFTER_REPLY: Failpoint.AFTER_REPLY,
}
_ACTIONS: Final = {
    wire.GateRule.CUT: Action.CUT,
    wire.GateRule.DROP: Action.DROP,
    wire.GateRule.DELAY: Action.DELAY,
    wire.GateRule.HOLD: Action.HOLD,
    wire.GateRule.DUPLICATE: Action.DUPLICATE,
    wire.GateRule.REORDER: Action.REORDER,
}
_ACTIONS_OUT: Final = {action: number for number, action in _ACTIONS.items()}


class ControlService:
    """The behaviours of the Control service.

    Args:
        config: who this is, and the limits.
        log: takes ``settings_changed``; knows the last line.
        driver: its instances are configured here.
        gate: its rules are set here.
        links: which peers can be reached.
        peers: called by ``Probe``.
        failpoints: armed here.
        files: may be made to fail.
        hand: in manual mode, what messages and timers wait in.
        stop: asks the node to stop.
    """

    def __init__(
        self,
        config: Config,
        log: Log,
        driver: Driver,
        gate: Gate,
        links: Links,
        peers: Mapping[NodeId, Peer],
        failpoints: Failpoints,
        files: RealFiles,
        hand: Hand | None,
        stop: Callable[[str], None],
    ) -> None:
        self._config = config
        self._log = log
        self._driver = driver
        self._gate = gate
        self._links = links
        self._peers = peers
        self._failpoints = failpoints
        self._files = files
        self._by_hand = hand
        self._stop = stop

    def behaviours(self) -> dict[str, Behaviour]:
        """What each method does."""
        return {
            "Info": self.info,
            "SetGate": self.set_gate,
            "Held": self.held,
            "Release": self.release,
            "ArmFailpoint": self.arm_failpoint,
            "DisarmFailpoints": self.disarm_failpoints,
            "LosePower": self.lose_power,
            "Configure": self.configure,
            "Probe": self.probe,
            "Shutdown": self.shutdown,
            "FailDisk": self.fail_disk,
            "Settle": self.settle,
            "Deliver": self.deliver,
            "Fire": self.fire,
        }

    async def info(self, _request: wire.InfoRequest, _context: Context) -> wire.InfoReply:
        """Who this is, and what is in force."""
        return wire.InfoReply(
            node_id=self._config.node,
            cluster=self._config.cluster,
            members=self._config.members,
            incarnation=self._log.incarnation,
            seq=self._log.seq,
            highest_instance=self._driver.highest_instance,
            links_up=self._links.up(),
            gate=[_rule_out(rule) for rule in self._gate.rules],
            failpoints=[armed.failpoint.name for armed in self._failpoints.armed],
            variant=self._config.unsafe_variant,
            settings=_settings_out(self._driver.settings),
        )

    async def set_gate(self, request: wire.SetGateRequest, _context: Context) -> wire.SetGateReply:
        """Replace all rules."""
        limit_count = self._config.rule_limit_count
        if len(request.rules) > limit_count:
            raise WireError(
                "too many rules",
                f"{len(request.rules)} rules are given; {limit_count} are allowed",
            )
        rules = [self._rule(rule) for rule in request.rules]
        names = [rule.name for rule in rules]
        for name in names:
            if names.count(name) > 1:
                raise WireError("bad rule", f"two rules are named {name!r}")
        self._gate.set_rules(rules)
        self._links.look_again()
        return wire.SetGateReply(seq=self._log.seq)

    async def held(self, _request: wire.HeldRequest, _context: Context) -> wire.HeldReply:
        """What waits at the gate."""
        return wire.HeldReply(
            messages=[
                wire.HeldMessage(
                    line=held.passage.message or "",
                    source=held.passage.source,
                    to=held.passage.to,
                    kind=held.passage.kind,
                    instance=held.passage.instance,
                    rule=held.rule,
                    number=held.number,
                )
                for held in self._gate.held()
            ]
        )

    async def release(self, request: wire.ReleaseRequest, _context: Context) -> wire.ReleaseReply:
        """Let held messages go on."""
        if bool(request.numbers) == bool(request.rule):
            raise WireError("bad release", "name either the numbers of held messages or one rule")
        held = {message.number: message for message in self._gate.held()}
        numbers = list(request.numbers) or [
            number for number, message in held.items() if message.rule == request.rule
        ]
        if len(set(numbers)) != len(numbers):
            raise WireError("bad release", "a message is named twice")
        for number in numbers:
            if number not in held:
                raise Refused(
                    grpc.StatusCode.NOT_FOUND,
                    "not held",
                    f"no message {number} is held: nothing was released",
                )
        self._gate.release(numbers)
        return wire.ReleaseReply(released=len(numbers))

    async def arm_failpoint(
        self, request: wire.ArmFailpointRequest, _context: Context
    ) -> wire.ArmFailpointReply:
        """Arm a failpoint, for once."""
        failpoint = _FAILPOINTS.get(request.failpoint)
        if failpoint is None:
            raise WireError("bad failpoint", f"no failpoint is {request.failpoint}")
        kinds = KINDS if failpoint is Failpoint.BETWEEN_SENDS else INPUT_KINDS
        if request.kind and request.kind not in kinds:
            raise WireError(
                "bad failpoint",
                f"kind is {request.kind!r}; known are {', '.join(sorted(kinds))}",
            )
        if request.instance > NUMBER_LIMIT:
            raise WireError("bad failpoint", "instance is above 2^53 - 1")
        self._failpoints.arm(Armed(failpoint, request.instance, request.kind, request.power))
        return wire.ArmFailpointReply()

    async def disarm_failpoints(
        self, _request: wire.DisarmFailpointsRequest, _context: Context
    ) -> wire.DisarmFailpointsReply:
        """Disarm all."""
        self._failpoints.disarm()
        return wire.DisarmFailpointsReply()

    async def lose_power(
        self, _request: wire.LosePowerRequest, _context: Context
    ) -> wire.LosePowerReply:
        """Undo what was not synced, and end."""
        self._failpoints.lose_power()

    async def configure(
        self, request: wire.ConfigureRequest, _context: Context
    ) -> wire.ConfigureReply:
        """Settings for a range of instances."""
        first, last = request.first_instance, request.last_instance
        _check_range(first, last, "first_instance", "last_instance")
        if self._driver.own_settings_count >= self._config.settings_limit_count:
            raise Refused(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                "too many ranges",
                f"{self._config.settings_limit_count} ranges have settings already",
            )
        changes = _changes(request.settings)
        changed = dataclasses.replace(self._driver.settings_of(first), **changes)
        if changed.backoff_base_ms > changed.backoff_most_ms:
            raise WireError("bad settings", "backoff_base_ms must not be more than backoff_most_ms")
        self._driver.configure(
            first, last, lambda settings: dataclasses.replace(settings, **changes)
        )
        named = {_WIRE_NAMES.get(name, name): value for name, value in changes.items()}
        self._log.write(
            {
                "event": "settings_changed",
                "first_instance": first,
                "last_instance": last,
                "settings": named,
            }
        )
        return wire.ConfigureReply()

    async def probe(self, request: wire.ProbeRequest, _context: Context) -> wire.ProbeReply:
        """One call to a peer, through the gate both ways."""
        peer = self._peers.get(request.to)
        if peer is None:
            raise WireError("unknown node", f"to is {request.to}, which is no peer")
        if not 1 <= request.timeout_ms <= DURATION_LIMIT_MS:
            raise WireError(
                "bad timeout",
                f"timeout_ms is {request.timeout_ms}: it must be 1 to {DURATION_LIMIT_MS}",
            )
        began = time.monotonic()
        status = await self._probe(peer, request.timeout_ms)
        return wire.ProbeReply(
            answered=status == "OK",
            status=status,
            elapsed_us=int((time.monotonic() - began) * 1_000_000),
        )

    async def shutdown(
        self, _request: wire.ShutdownRequest, _context: Context
    ) -> wire.ShutdownReply:
        """End the process once the batch in hand is finished."""
        self._stop("asked to by the control service")
        return wire.ShutdownReply()

    # --- on nodes that are marked unsafe --------------------------------------

    async def fail_disk(
        self, request: wire.FailDiskRequest, _context: Context
    ) -> wire.FailDiskReply:
        """Let the disk fail once."""
        if not self._config.unsafe_faults:
            raise Refused(
                grpc.StatusCode.FAILED_PRECONDITION,
                "not unsafe",
                "this node was not started with PAXOS_UNSAFE_FAULTS: its disk doesn't fail "
                "on command",
            )
        match request.fault:
            case wire.FailDiskRequest.FAIL_SYNC:
                self._files.fail_sync()
            case wire.FailDiskRequest.TEAR:
                self._files.tear()
            case fault:
                raise WireError("bad fault", f"no fault of a disk is {fault}")
        return wire.FailDiskReply()

    async def settle(self, request: wire.SettleRequest, _context: Context) -> wire.SettleReply:
        """Hand over what was sent."""
        messages, at_rest = await self._hand.settle(request.taken)
        return wire.SettleReply(
            incarnation=self._log.incarnation,
            messages=messages,
            timers=self._hand.timers,
            at_rest=at_rest,
        )

    async def deliver(self, request: wire.DeliverRequest, _context: Context) -> wire.DeliverReply:
        """Give a message to the core."""
        self._hand.deliver(request.message)
        return wire.DeliverReply()

    async def fire(self, request: wire.FireRequest, _context: Context) -> wire.FireReply:
        """Let a timer run out."""
        self._hand.fire(request.timer.instance, request.timer.timer, request.timer.token)
        return wire.FireReply()

    @property
    def _hand(self) -> Hand:
        if self._by_hand is None:
            raise Refused(
                grpc.StatusCode.FAILED_PRECONDITION,
                "not unsafe",
                "this node was not started with PAXOS_UNSAFE_MANUAL: it sends and receives "
                "by itself",
            )
        return self._by_hand

    # --- the parts ------------------------------------------------------------

    async def _probe(self, peer: Peer, timeout_ms: int) -> str:
        """How the call ended; a probe that the gate holds doesn't wait to be released."""
        me = self._config.node
        rule = await self._lost(me, peer.node_id, timeout_ms)
        if rule is None:
            # Any client's question will do: it is answered from memory.
            question = paxos_pb2.StatusRequest(instance=NUMBER_LIMIT)
            try:
                await peer.call(question, timeout_ms)
            except CallFailed as error:
                return str(error)
            rule = await self._lost(peer.node_id, me, timeout_ms)
        return "OK" if rule is None else rule

    async def _lost(self, source: NodeId, to: NodeId, timeout_ms: int) -> str | None:
        passage = Passage(source, to, "probe", 0, None)
        for rule in self._gate.rules:
            if rule.action is Action.HOLD and rule.fits(passage):
                return f"held by the gate's rule {rule.name}"
        try:
            admitted = await asyncio.wait_for(self._gate.admits(passage), timeout_ms / 1000)
        except TimeoutError:
            return "delayed by the gate for longer than the time-out"
        return None if admitted else "lost by a rule of the gate"

    def _rule(self, rule: wire.GateRule) -> Rule:
        action = _ACTIONS.get(rule.action)
        name = rule.name
        if not name or not name.isprintable() or len(name) > 64:
            raise WireError("bad rule", "a rule needs a printable name of 1 to 64 characters")
        if action is None:
            raise WireError("bad rule", f"rule {name!r} has no action that is known")
        for node in (rule.source, rule.to):
            if node and node not in self._config.members and node not in GUESTS:
                raise WireError("bad rule", f"rule {name!r} names {node}, no node")
        strange = sorted(set(rule.kinds) - KINDS)
        if strange:
            raise WireError(
                "bad rule",
                f"rule {name!r} names the kind {strange[0]!r}; known are "
                f"{', '.join(sorted(KINDS))}",
            )
        if rule.first_instance or rule.last_instance:
            _check_range(
                rule.first_instance,
                rule.last_instance,
                f"first_instance of rule {name!r}",
                f"last_instance of rule {name!r}",
            )
        _check_measures(rule, action)
        return Rule(
            name,
            action,
            rule.source,
            rule.to,
            tuple(rule.kinds),
            rule.first_instance,
            rule.last_instance,
            rule.percent,
            rule.delay_ms,
            rule.delay_most_ms,
            rule.copies,
        )


def _check_measures(rule: wire.GateRule, action: Action) -> None:
    """Whether the numbers of a rule are such that its action can be done."""
    name = rule.name
    if action in SHARED and not 1 <= rule.percent <= 100:
        raise WireError(
            "bad rule", f"rule {name!r} {action}s {rule.percent} %: it must be 1 to 100"
        )
    if action is Action.DELAY and not rule.delay_ms <= rule.delay_most_ms <= DURATION_LIMIT_MS:
        raise WireError(
            "bad rule",
            f"rule {name!r} delays by {rule.delay_ms} to {rule.delay_most_ms} ms: the "
            f"second must not be less than the first, nor more than {DURATION_LIMIT_MS}",
        )
    if action is Action.REORDER and not 1 <= rule.delay_most_ms <= DURATION_LIMIT_MS:
        raise WireError(
            "bad rule",
            f"rule {name!r} lets messages wait {rule.delay_most_ms} ms to be overtaken: "
            f"it must be 1 to {DURATION_LIMIT_MS}",
        )
    if action is Action.DUPLICATE and not 1 <= rule.copies <= COPIES_LIMIT_COUNT:
        raise WireError(
            "bad rule",
            f"rule {name!r} makes {rule.copies} copies: it must be 1 to {COPIES_LIMIT_COUNT}",
        )


def _check_range(first: int, last: int, first_name: str, last_name: str) -> None:
    if not 1 <= first <= last <= NUMBER_LIMIT:
        raise WireError(
            "impossible range",
            f"{first_name} is {first} and {last_name} {last}: a range begins at 1 or later "
            "and doesn't end before it begins",
        )


def _changes(settings: wire.Settings) -> dict[str, Any]:
    """The settings that are given, under the core's names."""
    changes: dict[str, Any] = {}
    for field, value in settings.ListFields():
        match field.name:
            case "number_scheme":
                if value not in list(NumberScheme):
                    raise WireError(
                        "bad settings",
                        f"number_scheme is {value!r}; known are {', '.join(NumberScheme)}",
                    )
                changes["scheme"] = NumberScheme(value)
            case "backoff" | "own_ballots":
                changes[field.name] = value
            case "attempt_limit_count":
                if not 1 <= value <= ATTEMPT_LIMIT_COUNT:
                    raise WireError(
                        "bad settings",
                        f"{field.name} is {value}: it must be 1 to {ATTEMPT_LIMIT_COUNT}",
                    )
                changes["attempt_limit"] = value
            case _:
                least_ms = 0 if field.name.startswith("backoff") else 1
                if not least_ms <= value <= DURATION_LIMIT_MS:
                    raise WireError(
                        "bad settings",
                        f"{field.name} is {value}: it must be {least_ms} to {DURATION_LIMIT_MS}",
                    )
                changes[field.name] = value
    return changes


def _settings_out(settings: Settings) -> wire.Settings:
    fields = dataclasses.asdict(settings)
    return wire.Settings(**{_WIRE_NAMES.get(name, name): value for name, value in fields.items()})


def _rule_out(rule: Rule) -> wire.GateRule:
    return wire.GateRule(
        name=rule.name,
        action=_ACTIONS_OUT[rule.action],
        source=rule.source,
        to=rule.to,
        kinds=rule.kinds,
        first_instance=rule.first_instance,
        last_instance=rule.last_instance,
        percent=rule.percent,
        delay_ms=rule.delay_ms,
        delay_most_ms=rule.delay_most_ms,
        copies=rule.copies,
    )
