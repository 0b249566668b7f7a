"""The gallery: every broken variant, by the part that is broken."""

from difflib import get_close_matches
from typing import Final

from paxos.protocol import NumberScheme, Roles
from paxos.storage import Storage
from paxos.variants import acceptors, drivers, learners, proposers, storages
from paxos.variants.variant import LIVENESS, InMessages, Insight, Size, Variant


class UnknownVariant(Exception):
    """No variant has this name; the text names those that are spelt most like it."""


TOLD: Final = "(as told)"
"""Stands behind what was not looked up where it happened."""

_ACCEPTORS: Final = (
    Variant(
        name="accept-below-promise",
        change="An acceptor accepts whatever it is asked to, also below its promise.",
        breaks="R1",
        insight=Insight.ONE_VALUE,
        seen_in="textbooks, as a mistake to avoid",
        story="Phase 2(b) looks like a plain write. Its condition is all that a promise is worth.",
        exposed_by=Size(proposing=1, values=1, ballots=2),
        steps=8,
        seeds=20,
        two_values_at=Size(),
        two_values_steps=14,
        in_messages=InMessages("R1", 7, 12),
        roles=Roles(acceptor=acceptors.AcceptsBelowPromise),
    ),
    Variant(
        name="promise-not-raised",
        change="An acceptor that accepts at a ballot goes on answering ballots below it.",
        breaks="R1",
        insight=Insight.ONE_VALUE,
        seen_in="ScyllaDB #6139",
        story=(
            "Conflicting transactions could be chosen when prepare and accept went to different "
            "quorums: an accept that comes without its prepare must count as a promise."
        ),
        exposed_by=Size(proposing=1, values=1, ballots=2),
        steps=8,
        seeds=20,
        in_messages=InMessages("R1", 7, 17, ballots=3, safe_ballots=2),
        roles=Roles(acceptor=acceptors.KeepsPromiseLow),
    ),
    Variant(
        name="promise-omits-accepted",
        change="A promise never reports what its acceptor has accepted.",
        breaks="R2",
        insight=Insight.BINDING,
        seen_in=f"an analysis of EPaxos {TOLD}",
        story="The second half of a promise carries what was chosen into every later ballot.",
        exposed_by=Size(proposing=1, values=1, ballots=1),
        steps=7,
        seeds=5,
        two_values_at=Size(),
        two_values_steps=14,
        in_messages=InMessages("R2", 7, 12),
        roles=Roles(acceptor=acceptors.OmitsAccepted),
    ),
    Variant(
        name="promised-as-accepted",
        change="A promise reports the accepted value at the number promised, not accepted.",
        breaks="R2",
        insight=Insight.BINDING,
        seen_in="swiftpaxos #3",
        story=(
            "Two ballots of a record were written to the same bytes, the second over the first; "
            "so a value came back with a number that it never had."
        ),
        exposed_by=Size(proposing=1, values=1, ballots=2),
        steps=9,
        seeds=5,
        in_messages=InMessages("R2", 9, 18, ballots=3, safe_ballots=2),
        roles=Roles(acceptor=acceptors.ReportsPromised),
    ),
    Variant(
        name="strict-accept",
        change="An acceptor accepts only above its promise, not at it.",
        breaks=LIVENESS,
        insight=Insight.PHASES,
        seen_in="textbooks, as a mistake to avoid",
        story="Greater than, where it should be at least: nobody accepts what it has promised.",
        exposed_by=Size(proposing=1, values=1, ballots=1),
        seeds=5,
        roles=Roles(acceptor=acceptors.AcceptsOnlyAbovePromise),
    ),
    Variant(
        name="accepts-once",
        change="An acceptor accepts one proposal, and never another.",
        breaks=LIVENESS,
        insight=Insight.ONE_VALUE,
        seen_in='"Paxos Made Simple" §2.2',
        story=(
            "The paper's own argument: were one proposal all that an acceptor may accept, every "
            "acceptor could have accepted one, and no majority the same."
        ),
        seeds=5,
        roles=Roles(acceptor=acceptors.AcceptsOnce),
    ),
)

_PROPOSERS: Final = (
    Variant(
        name="skips-phase-1",
        change="A proposer asks for acceptance at once, without asking for promises.",
        breaks="R4",
        insight=Insight.PHASES,
        seen_in="textbooks, as a mistake to avoid",
        story="A leader may skip phase 1 for later instances, once it has done it for all of them.",
        exposed_by=Size(proposing=1, values=1, ballots=1),
        steps=1,
        seeds=5,
        two_values_at=Size(),
        two_values_steps=6,
        in_messages=InMessages("R4", 1, 6),
        roles=Roles(proposer=proposers.SkipsPhase1),
    ),
    Variant(
        name="number-shared",
        change="A proposer numbers its ballots by round alone, so two may use one number.",
        breaks="R3",
        insight=Insight.NUMBERS,
        seen_in="textbooks, as a mistake to avoid",
        story="A plain counter or a clock, without the proposer's id: unique until two meet.",
        exposed_by=Size(proposing=2, values=1, ballots=1),
        steps=1,
        seeds=5,
        two_values_at=Size(),
        two_values_steps=14,
        roles=Roles(proposer=proposers.SharesNumbers),
    ),
    Variant(
        name="number-reused",
        change="A proposer forgets at a restart which rounds it has used.",
        breaks="R3",
        insight=Insight.NUMBERS,
        seen_in="PaxosCluster #1",
        story=(
            "It kept no proposal number on disk. Issue 145 of phxpaxos asks how that one does "
            "without: it begins above what its own acceptor has promised."
        ),
        exposed_by=Size(proposing=1, values=1, ballots=2, crashes=1),
        steps=3,
        seeds=20,
        two_values_at=Size(proposing=1, crashes=1),
        two_values_steps=13,
        in_messages=InMessages("R3", 5, 9, ballots=1, safe_ballots=0),
        roles=Roles(recover=drivers.forget_round),
    ),
    Variant(
        name="ignore-accepted",
        change="A proposer pushes its client's value, whatever the promises report.",
        breaks="R4",
        insight=Insight.BINDING,
        seen_in=f"NicolasT/paxos 4b144a1 {TOLD}",
        story="Its client asked for pear; that it must push apple looks like somebody's mistake.",
        exposed_by=Size(proposing=2, values=2, ballots=2),
        steps=11,
        seeds=20,
        two_values_at=Size(),
        two_values_steps=14,
        in_messages=InMessages("R4", 9, 12),
        roles=Roles(proposer=proposers.IgnoresReports),
    ),
    Variant(
        name="lowest-report",
        change="A proposer pushes the lowest-numbered value reported, not the highest.",
        breaks="R4",
        insight=Insight.BINDING,
        seen_in=f"DiscoveringPaxos 8924256 {TOLD}",
        story="Two reports must differ before it matters, so most tests never see it.",
        seeds=50,
        in_messages=InMessages("R4", 14, 17, ballots=3, safe_ballots=2),
        roles=Roles(proposer=proposers.TakesLowestReport),
    ),
    Variant(
        name="one-promise",
        change="A proposer asks for acceptance as soon as one acceptor has promised.",
        breaks="R4",
        insight=Insight.QUORUMS,
        seen_in=f"clusters whose quorum sizes were set by hand {TOLD}",
        story="Quorums of the two phases may differ, but each must meet each.",
        exposed_by=Size(proposing=1, values=1, ballots=1),
        steps=3,
        seeds=5,
        two_values_at=Size(),
        two_values_steps=10,
        in_messages=InMessages("R4", 3, 10),
        roles=Roles(proposer=proposers.NeedsOnePromise),
    ),
    Variant(
        name="half-quorum",
        change="A quorum is half of the acceptors, rounded up: right for odd numbers only.",
        breaks="R4",
        insight=Insight.QUORUMS,
        seen_in="textbooks, as a mistake to avoid",
        story="(n + 1) // 2 and n // 2 + 1 agree on 3, 5 and 7.",
        exposed_by=Size(nodes=4, proposing=1, values=1, ballots=1),
        steps=5,
        seeds=20,
        in_messages=InMessages("R4", 4, 12, acceptors=4),
        roles=Roles(config=learners.HalfIsEnough),
    ),
    Variant(
        name="stale-promises",
        change="A proposer counts promises of an older ballot for the one under way.",
        breaks="R4",
        insight=Insight.QUORUMS,
        seen_in="MyPaxos #18",
        story=(
            "A delayed answer to the first prepare completed the quorum of the second, and two "
            "values were chosen."
        ),
        exposed_by=Size(proposing=1, values=1, ballots=2),
        steps=6,
        seeds=20,
        in_messages=InMessages("R4", 5, 10),
        roles=Roles(proposer=proposers.CountsStalePromises),
    ),
    Variant(
        name="promise-counted-twice",
        change="A proposer counts a promise that arrives twice as those of two acceptors.",
        breaks="R4",
        insight=Insight.QUORUMS,
        seen_in="happy-simulator",
        story="Its list of answers grows with each that arrives, and is as good as its length.",
        exposed_by=Size(proposing=1, values=1, ballots=1),
        steps=4,
        seeds=5,
        two_values_at=Size(),
        two_values_steps=12,
        in_messages=InMessages("R4", 3, 10),
        roles=Roles(proposer=proposers.CountsPromisesTwice),
    ),
    Variant(
        name="late-promise",
        change="A promise that comes late begins phase 2 of its ballot anew.",
        breaks="R3",
        insight=Insight.NUMBERS,
        seen_in="happy-simulator",
        story=(
            "Every answer beyond the quorum starts phase 2 again, and may bring another value to "
            "a ballot that has one."
        ),
        exposed_by=Size(proposing=2, values=2, ballots=2),
        steps=13,
        seeds=50,
        two_values_at=Size(),
        two_values_steps=17,
        in_messages=InMessages("R3", 11, 15),
        roles=Roles(proposer=proposers.ReopensPhase2),
    ),
    Variant(
        name="stale-nack",
        change="A refusal of an older ballot makes a proposer abandon its phase 2.",
        breaks=LIVENESS,
        insight=Insight.RETRIES,
        seen_in="textbooks, as a mistake to avoid",
        story="A refusal is news about one ballot, and says nothing about the next.",
        seeds=200,
        roles=Roles(proposer=proposers.HeedsStaleNacks),
    ),
    Variant(
        name="never-retries",
        change="A proposer without a quorum does not try again.",
        breaks=LIVENESS,
        insight=Insight.RETRIES,
        seen_in="multi-paxos-example #4",
        story=(
            "It waited for a quorum of promises or one of nacks. With some acceptors down, three "
            "answers of five may be neither."
        ),
        seeds=50,
        roles=Roles(proposer=proposers.NeverRetries),
    ),
    Variant(
        name="no-backoff",
        change="A proposer tries again at once, without waiting.",
        breaks=LIVENESS,
        insight=Insight.RETRIES,
        seen_in=f"libpaxos #6 {TOLD}",
        story="Two proposers go on outbidding each other: each phase 1 ends the other's phase 2.",
        seeds=50,
        settings={"backoff": False},
    ),
    Variant(
        name="ranges-starve",
        change="Each proposer owns a block of 1,000 numbers; the highest block outbids all.",
        breaks=LIVENESS,
        insight=Insight.SCHEMES,
        seen_in="the classic script that teaches Paxos",
        story=(
            "0-999, 1000-1999, 2000-2999 never collide, and that is all: with the proposer of the "
            "highest block gone, nobody can ever outbid its promises."
        ),
        seeds=50,
        settings={"scheme": NumberScheme.RANGES},
    ),
)

_LEARNERS: Final = (
    Variant(
        name="small-quorum",
        change="A learner takes 2·acceptances ≥ n - 1 for a quorum: two of five.",
        breaks="R5",
        insight=Insight.MINORITY,
        seen_in=f"the course dslabs, wrong on purpose {TOLD}",
        story="A course gives it to its students, to be found by their model checker.",
        exposed_by=Size(proposing=1, values=1, ballots=1),
        steps=7,
        seeds=5,
        two_values_at=Size(),
        two_values_steps=14,
        in_messages=InMessages("R5", 5, 10),
        roles=Roles(learner=learners.LearnsTooEarly),
    ),
    Variant(
        name="accepted-counted-twice",
        change="A learner counts an acceptance that arrives twice as those of two acceptors.",
        breaks="R5",
        insight=Insight.QUORUMS,
        seen_in="booth PR 47",
        story=(
            "Its learner added up acceptances over renewals, until there were more of them than "
            "acceptors; from then on it always had a quorum."
        ),
        exposed_by=Size(proposing=1, values=1, ballots=1),
        steps=8,
        seeds=200,
        two_values_at=Size(),
        two_values_steps=15,
        in_messages=InMessages("R5", 5, 10),
        roles=Roles(learner=learners.CountsAcceptedTwice),
    ),
    Variant(
        name="across-ballots",
        change="A learner counts who accepted a value, at whatever ballots.",
        breaks="R5",
        insight=Insight.ONE_VALUE,
        seen_in="textbooks, as a mistake to avoid",
        story="A value is chosen at one ballot. A majority that accepted it at two proves nothing.",
        exposed_by=Size(proposing=1, values=1, ballots=2),
        steps=14,
        seeds=5,
        in_messages=InMessages("R5", 10, None, ballots=3, safe_ballots=3),
        roles=Roles(learner=learners.CountsAcrossBallots),
    ),
)

_DRIVERS: Final = (
    Variant(
        name="promise-forgotten",
        change="An acceptor forgets its promise at a restart.",
        breaks="R6",
        insight=Insight.PERSISTENCE,
        seen_in="PySyncObj PR 202",
        story="Its log was kept over a restart, and what it had promised was not.",
        exposed_by=Size(proposing=1, values=1, ballots=1, crashes=1),
        steps=3,
        seeds=5,
        in_messages=InMessages("R1", 5, 13),
        roles=Roles(recover=drivers.forget_promise),
    ),
    Variant(
        name="accepted-forgotten",
        change="An acceptor forgets at a restart what it has accepted.",
        breaks="R6",
        insight=Insight.PERSISTENCE,
        seen_in="ScyllaDB #6149",
        story=(
            "What an acceptor had accepted expired after a time; an older proposal, which had "
            "not, was taken up again."
        ),
        exposed_by=Size(proposing=1, values=1, ballots=1, crashes=1),
        steps=7,
        seeds=20,
        in_messages=InMessages("R2", 8, 13),
        roles=Roles(recover=drivers.forget_accepted),
    ),
    Variant(
        name="reply-before-write",
        change="An acceptor replies first and writes afterwards.",
        breaks="R6",
        insight=Insight.PERSISTENCE,
        seen_in="PySyncObj #84",
        story="It acknowledged what was not on its disk yet: an issue open since 2018.",
        exposed_by=Size(proposing=1, values=1, ballots=1),
        steps=2,
        seeds=5,
        roles=Roles(arrange=drivers.reply_first),
    ),
)

_STORAGES: Final = (
    Variant(
        name="sync-lies",
        change="A sync reports success, and leaves what was written in the page cache.",
        breaks="R6",
        insight=Insight.PERSISTENCE,
        seen_in="NATS #7564, #7567",
        story=(
            "JetStream acknowledged at once and synced every two minutes; one node's power "
            "failure was enough for two histories. A kill shows nothing."
        ),
        exposed_by=Size(proposing=1, values=1, ballots=1),
        steps=2,
        seeds=5,
        keeping=storages.LIES,
        shown=(Storage.sync, storages.NeverSyncs.sync),
    ),
    Variant(
        name="disk-reformatted",
        change="A node whose disk was lost starts as if it were new.",
        breaks="R6",
        insight=Insight.PERSISTENCE,
        seen_in='"Protocol-Aware Recovery"',
        story=(
            "FAST'18 names it among the ways to recover that look safe: delete what is damaged, "
            "start empty, and answer at once."
        ),
        exposed_by=Size(proposing=1, values=1, ballots=1, crashes=1, disk_faults=1),
        steps=4,
        seeds=20,
        keeping=storages.REFORMATS,
        shown=(None, storages.open_or_format),
    ),
    Variant(
        name="promises-copied",
        change="A node whose disk was lost copies a peer's promises, and answers again.",
        breaks="R6",
        insight=Insight.PERSISTENCE,
        seen_in="textbooks, as a mistake to avoid",
        story="A peer's promise says nothing of what this node had promised, or accepted.",
        exposed_by=Size(proposing=1, values=1, ballots=1, crashes=1, disk_faults=1),
        steps=4,
        seeds=20,
        keeping=storages.COPIES,
        shown=(None, storages.copy_promises),
    ),
    Variant(
        name="corrupt-skipped",
        change="A start leaves out records that do not verify.",
        breaks="R6",
        insight=Insight.PERSISTENCE,
        seen_in="cocagne/paxos durable.py",
        story=(
            "It says so itself: a file that turned bad on disk counts as one that was never "
            "written, the state before is used, and a promise may be broken."
        ),
        exposed_by=Size(proposing=1, values=1, ballots=1, crashes=1, disk_faults=1),
        steps=4,
        seeds=20,
        keeping=storages.LEAVES_OUT,
        shown=(None, storages.open_leaving_out),
    ),
    Variant(
        name="written-in-place",
        change="State is written by emptying its file and filling it again.",
        breaks="R6",
        insight=Insight.PERSISTENCE,
        seen_in="RedisRaft #127",
        story=(
            "It asks what a crash in the middle of a write leaves, and wants the state that "
            "changes in a file of its own, and the log only appended to."
        ),
        exposed_by=Size(proposing=1, values=1, ballots=1, crashes=1, disk_faults=1),
        steps=7,
        seeds=5,
        keeping=storages.IN_PLACE,
        shown=(Storage.append, storages.WritesInPlace.append),
    ),
    Variant(
        name="sync-retried",
        change="A sync that failed is tried again, and its success believed.",
        breaks="R6",
        insight=Insight.PERSISTENCE,
        seen_in='"fsyncgate", PostgreSQL 2018',
        story=(
            "After a failed sync the kernel may drop the bytes and call them clean: the second "
            "try succeeds over nothing."
        ),
        exposed_by=Size(proposing=1, values=1, ballots=1, disk_faults=1),
        steps=2,
        seeds=50,
        keeping=storages.RETRIES,
        shown=(Storage.sync, storages.RetriesSync.sync),
    ),
)

GROUPS: Final = {
    "acceptors": _ACCEPTORS,
    "proposers": _PROPOSERS,
    "learners": _LEARNERS,
    "drivers": _DRIVERS,
    "storages": _STORAGES,
}
"""The variants by the part that is broken, in the order in which they are told."""

VARIANTS: Final[dict[str, Variant]] = {
    variant.name: variant for group in GROUPS.values() for variant in group
}

_NAME_CHARACTERS: Final = 60
"""No variant's name is longer; of a stranger's no more is told."""


def load(name: str) -> Variant:
    """The variant of this name.

    Raises:
        UnknownVariant: there is none of this name.
    """
    if name not in VARIANTS:
        near = get_close_matches(name[:_NAME_CHARACTERS], VARIANTS, n=3, cutoff=0)
        raise UnknownVariant(
            f"no variant is called {name[:_NAME_CHARACTERS]!r}; the nearest are "
            f"{', '.join(near)}, and docs/variants.md lists all {len(VARIANTS)}"
        )
    return VARIANTS[name]
