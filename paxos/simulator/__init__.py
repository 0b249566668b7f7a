"""The whole cluster in one process, in virtual time: a seed decides everything.

It drives the same core, storage and recorder as ``node/`` does, so what it
logs is what a real cluster would log, and the same checker judges it. Nothing
waits: time jumps from one event to the next. Latency, jitter and loss come
from the seed (``paxos.chance``), so equal seeds and equal commands give equal
bytes on every Python.

    world = World(seed=7, node_count=5)
    world.propose(0, node=1, value="apple")
    world.run()
    print(world.transcript())

A kill may fall into a sync: what was written stays (the page cache outlives
the process), what was not said was not heard. A power loss takes it.

``world`` the clock and the commands · ``node`` a process · ``disk`` what
outlives it · ``network`` links and travel · ``gate`` rules over messages ·
``failpoints`` · ``steps`` the core, each step computed once · ``conditions``.
"""

from paxos.simulator.conditions import CALM, Conditions
from paxos.simulator.world import World

__all__ = ["CALM", "Conditions", "World"]
