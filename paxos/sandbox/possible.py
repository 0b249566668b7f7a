"""Whether a command is possible as things are, and if not, why, in a sentence.

A person clicks on what was so a moment ago, and a fork may take away what a
later command relied on: neither is an error, and neither leaves a line.
"""

from dataclasses import replace

from paxos.events import node_key
from paxos.scenario import model as do
from paxos.simulator.faults import Faults, NotPossible
from paxos.simulator.node import Node
from paxos.simulator.world import World


class Possible:
    """Looks at commands before they are carried out.

    Args:
        world: where.
        faults: what is in force.
    """

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._names = tuple(node.name for node in world.nodes.values())
        self._cut_counts: dict[str, int] = {}

    def spelt_out(self, action: do.Action) -> do.Action:
        """A command to ``all`` nodes is one to those that it makes sense for.

        Raises:
            NotPossible: there is none.
        """
        if not isinstance(action, do.Command) or action.nodes:
            return action
        verb = action.verb
        able = tuple(n for n in self._names if _why_not(verb, self._node(n)) is None)
        if not able:
            raise NotPossible(f"there is no node to {verb.replace('_', ' ')}")
        return replace(action, nodes=able)

    def checked(self, action: do.Action) -> do.Action:
        """The same action; a cut under a name of its own.

        Raises:
            NotPossible: things are not as they must be for it.
        """
        faults = self._faults
        match action:
            case do.Command(verb, nodes):
                for name in nodes:
                    why = _why_not(verb, self._node(name))
                    if why is not None:
                        raise NotPossible(why)
            case do.Failpoint(node=name) if not self._node(name).up:
                raise NotPossible(f"{name} is down")
            case do.Heal(names):
                self._look_for_faults(names)
            case do.Release(name=name):
                self._look_for_faults((name,))
                if not faults.allows(action):
                    raise NotPossible(f"not so many messages are held by {name!r}")
            case do.DiskFault(name, "corrupt") if not self._node(name).up:
                if not faults.allows(action):
                    raise NotPossible(f"the disk of {name} holds no sound record to be damaged")
            case do.Cut(name=name):
                return self._beside_others(action)
            case _:
                pass
        return action

    def _look_for_faults(self, names: tuple[str, ...]) -> None:
        in_force = self._faults.in_force
        if not in_force:
            raise NotPossible("no fault of the network is in force")
        for name in names:
            if name not in in_force:
                raise NotPossible(f"no fault {name!r} is in force; there are {', '.join(in_force)}")

    def _beside_others(self, cut: do.Cut) -> do.Cut:
        """A cut under a name of its own: one of the same name would end the one before it."""
        if cut.name not in self._faults.in_force:
            return cut
        count = self._cut_counts.get(cut.name, 1) + 1
        self._cut_counts[cut.name] = count
        return replace(cut, name=f"{cut.name}-{count}")

    def _node(self, name: str) -> Node:
        return self._world.nodes[node_key(name)]


def _why_not(verb: str, node: Node) -> str | None:
    """Why a node cannot be commanded so; ``None`` if it can."""
    if verb == "start":
        return f"{node.name} runs already" if node.up else None
    if not node.up:
        return f"{node.name} is down"
    if verb == "resume":
        return None if node.paused else f"{node.name} is not paused"
    if verb in {"pause", "stop"} and node.paused:
        return f"{node.name} is paused" + (" already" if verb == "pause" else ", and hears nothing")
    if node.dying:
        return f"{node.name} is about to end"
    return None
