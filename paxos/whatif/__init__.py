"""What can still happen from a moment of a run on, real or simulated.

The log up to a moment is turned into the state of every node, and that is
handed to the explorer: can it still go wrong from here, and which values can
still be chosen? It joins two things that know nothing of each other, the
replay of a log (:mod:`paxos.conformance`) and the search
(:mod:`paxos.explorer`), and is pure as they are: lines in, JSON out.

``moment``  which line is meant, and what the run was;
``missing`` which lines of what happened up to there are not in the log;
``present`` each node as it is there: memory, disk, what it has sent;
``bounds``  how far to look;
``correct`` the search for the correct protocol, ``whole`` that for any other;
``by_hand`` the run and the way on as one scenario;
``answer``  the question, and the answer as JSON.
"""

from paxos.whatif.answer import MOST, whatif
from paxos.whatif.moment import WhatIfError, variant_of
from paxos.whatif.present import NodeNow, Now, reconstruct

__all__ = ["MOST", "NodeNow", "Now", "WhatIfError", "reconstruct", "variant_of", "whatif"]
