"""The page's server: this machine's own, and no one else's.

The way through it:

``app``       the addresses, and what stands before each of them;
``safety``    who may ask, and the headers of every answer;
``files``     the page's files, the list of runs, the files of a run;
``derived``   what is made of a run's log on demand: ``why.json``, ``columns.bin``;
``made``      stories, variants, and what the sandbox loads;
``desk``      the live run: one at a time, commands one after another;
``world``     what a live run is on; ``own_containers``: only what is labelled as the lab's;
``live_run``  a cluster under the page's commands, from make-whole to its folder;
``commands``  a step from the page: read, checked, and told in a sentence;
``notes``     what was commanded, as a scenario file; ``seen``, what that waits for;
``feed``      the append-only log that is the queue, and ``stream``, its reader;
``judge``     verdict and whys while a run goes on: asks ``judge_process``, a process of
              its own, which judges what is ``closed`` under causes;
``serve``     the process: the server on a thread, the lab on the main one;
``command``   what ``paxos-lab web`` tells.
"""

from orchestrator.web.app import create_app
from orchestrator.web.files import PAGE, PageError, find_file, list_runs
from orchestrator.web.serve import configuration, serve

__all__ = [
    "PAGE",
    "PageError",
    "configuration",
    "create_app",
    "find_file",
    "list_runs",
    "serve",
]
