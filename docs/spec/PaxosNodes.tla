----------------------------- MODULE PaxosNodes -----------------------------
(***************************************************************************)
(* The node model of this project, once more and in another language: an   *)
(* oracle for the explorer (docs/exploring.md, "The model").  TLC's number *)
(* of distinct states must be the explorer's, configuration by             *)
(* configuration; tests/test_twin.py says so.                              *)
(*                                                                         *)
(* The unit is the node: acceptor, proposer and learner together, with one *)
(* memory and one disk.  The network is the set of all messages ever sent, *)
(* so that delay, loss, duplication and re-ordering need no actions.  A    *)
(* node carries out the effects of a step one by one, in their order, and  *)
(* takes no input before it is done; a crash may cut them anywhere.        *)
(*                                                                         *)
(* What the core has and this does not: timers, clients' answers, and the  *)
(* messages Status and Learned.  No message and no record here depends on  *)
(* them.                                                                   *)
(***************************************************************************)
EXTENDS Integers, Sequences, FiniteSets

CONSTANTS
  NodeCount,    \* how many nodes; all are acceptors and learners
  Proposing,    \* how many of them, from 1 on, may begin ballots
  Values,       \* what clients may wish for: strings, none of them ""
  MaxBallots,   \* how many ballots may be begun in all
  MaxCrashes,   \* how many kills and power losses there may be in all
  MaxFaults     \* how many faults of a disk there may be in all

Node == 1..NodeCount
QuorumSize == (NodeCount \div 2) + 1

VARIABLES
  up,           \* which nodes run
  memory,       \* what a running node remembers
  pending,      \* the effects of its last step that are still to be carried out
  durable,      \* what a power loss leaves on its disk
  cached,       \* what a kill leaves: with what was written and not synced
  refused,      \* whose storage refuses to start, for ever
  onceDurable,  \* each node's pairs that were durable at some time: for Agreement
  messages,     \* all that was ever sent
  ballots, crashes, faults  \* how often each has happened

vars == <<up, memory, pending, durable, cached, refused, onceDurable,
          messages, ballots, crashes, faults>>

-----------------------------------------------------------------------------
(* Ballots are integers here: rounds first, then nodes; 0 is none yet. *)

BallotOf(round, node) == 100 * round + node
RoundOf(ballot) == ballot \div 100
Max(a, b) == IF a > b THEN a ELSE b

NoPair == [ballot |-> 0, value |-> ""]
NothingLearned == [ballot |-> 0, value |-> "", acceptors |-> {}]

EmptyDisk ==
  [promised |-> 0, accepted |-> NoPair, round |-> -1, learned |-> NothingLearned]

(* What a start makes of a disk. *)
Recovered(disk) ==
  [promised |-> disk.promised, accepted |-> disk.accepted,    \* acceptor
   phase |-> "idle", ballot |-> 0, lastRound |-> disk.round,  \* proposer
   highest |-> 0, promises |-> {}, refusedBy |-> {}, wish |-> "", pushing |-> NoPair,
   learned |-> disk.learned, tallies |-> {}]                  \* learner

(* A node that is down remembers nothing. *)
Blank == Recovered(EmptyDisk)

Init ==
  /\ up = Node
  /\ memory = [n \in Node |-> Blank]
  /\ pending = [n \in Node |-> <<>>]
  /\ durable = [n \in Node |-> EmptyDisk]
  /\ cached = [n \in Node |-> EmptyDisk]
  /\ refused = {}
  /\ onceDurable = [n \in Node |-> {}]
  /\ messages = {}
  /\ ballots = 0 /\ crashes = 0 /\ faults = 0

-----------------------------------------------------------------------------
(* Effects. *)

Write(record) == [kind |-> "write", record |-> record]
AcceptorRecord(m) ==
  Write([of |-> "acceptor", promised |-> m.promised, accepted |-> m.accepted])
RoundRecord(round) == Write([of |-> "round", round |-> round])
LearnedRecord(learned) == Write([of |-> "learned", learned |-> learned])

Send(message) == [kind |-> "send", message |-> message]

(* To each of a set of nodes, in the order of their numbers. *)
SendToEach(nodes, Message(_)) ==
  LET inOrder == SelectSeq([n \in Node |-> n], LAMBDA n : n \in nodes)
  IN  [i \in 1..Len(inOrder) |-> Send(Message(inOrder[i]))]

(* What is sent again changes nothing and takes no step: it is dropped as   *)
(* soon as it stands first.                                                 *)
RECURSIVE Settled(_, _)
Settled(effects, sent) ==
  IF effects /= <<>> /\ Head(effects).kind = "send" /\ Head(effects).message \in sent
  THEN Settled(Tail(effects), sent)
  ELSE effects

(* A step of the core: the next memory, and effects to be carried out. *)
Step(n, next, effects) ==
  /\ memory' = [memory EXCEPT ![n] = next]
  /\ pending' = [pending EXCEPT ![n] = Settled(effects, messages)]

AtRest(n) == n \in up /\ pending[n] = <<>>

-----------------------------------------------------------------------------
(* Phase 1(a).  A client wishes for a value, and a ballot is begun for it;  *)
(* or the ballot under way is given up and the next one begun.              *)

StartBallot(n) ==
  LET m == memory[n]
      round == Max(m.lastRound, RoundOf(m.highest)) + 1
      ballot == BallotOf(round, n)
      Prepare(to) == [type |-> "prepare", from |-> n, to |-> to, ballot |-> ballot]
      Begin(wish) ==
        Step(n,
             [m EXCEPT !.phase = "preparing", !.ballot = ballot, !.lastRound = round,
                       !.promises = {}, !.refusedBy = {}, !.pushing = NoPair,
                       !.wish = wish],
             <<RoundRecord(round)>> \o SendToEach(Node, Prepare))
  IN  /\ AtRest(n)
      /\ n <= Proposing
      /\ ballots < MaxBallots
      /\ m.learned = NothingLearned
      /\ IF m.phase = "idle" THEN \E v \in Values : Begin(v) ELSE Begin(m.wish)
      /\ ballots' = ballots + 1
      /\ UNCHANGED <<up, durable, cached, refused, onceDurable, messages, crashes, faults>>

-----------------------------------------------------------------------------
(* Messages.  Each operator is a handler of the core: what becomes of the   *)
(* memory of node n, and which effects follow.                              *)

Nack(n, request) ==
  Send([type |-> "nack", from |-> n, to |-> request.from, ballot |-> request.ballot,
        promised |-> memory[n].promised])

(* Phase 1(b).  An equal ballot is answered again; nothing is written then. *)
OnPrepare(n, request) ==
  LET m == memory[n]
      after == [m EXCEPT !.promised = request.ballot]
      promise == Send([type |-> "promise", from |-> n, to |-> request.from,
                       ballot |-> request.ballot, accepted |-> m.accepted])
  IN  IF request.ballot < m.promised THEN Step(n, m, <<Nack(n, request)>>)
      ELSE IF request.ballot = m.promised THEN Step(n, m, <<promise>>)
      ELSE Step(n, after, <<AcceptorRecord(after), promise>>)

(* Phase 2(b). *)
OnAccept(n, request) ==
  LET m == memory[n]
      pair == [ballot |-> request.ballot, value |-> request.value]
      after == [m EXCEPT !.promised = request.ballot, !.accepted = pair]
      accepted == Send([type |-> "accepted", from |-> n, to |-> request.from,
                        ballot |-> request.ballot, value |-> request.value])
  IN  IF request.ballot < m.promised THEN Step(n, m, <<Nack(n, request)>>)
      ELSE IF after = m THEN Step(n, m, <<accepted>>)
      ELSE Step(n, after, <<AcceptorRecord(after), accepted>>)

(* Phase 2(a), with the promise that completes a quorum. *)
OnPromise(n, reply) ==
  LET m == memory[n]
      promises == {p \in m.promises : p.node /= reply.from}
                  \cup {[node |-> reply.from, accepted |-> reply.accepted]}
      reported == {p.accepted : p \in promises} \ {NoPair}
      value == IF reported = {} THEN m.wish
               ELSE (CHOOSE pair \in reported :
                       \A other \in reported : other.ballot <= pair.ballot).value
      Accept(to) == [type |-> "accept", from |-> n, to |-> to, ballot |-> m.ballot,
                     value |-> value]
      counted == [m EXCEPT !.promises = promises]
  IN  /\ reply.ballot = m.ballot
      /\ m.phase = "preparing"
      /\ IF Cardinality(promises) < QuorumSize
         THEN Step(n, counted, <<>>)
         ELSE Step(n,
                   [counted EXCEPT !.phase = "accepting",
                                   !.pushing = [ballot |-> m.ballot, value |-> value]],
                   SendToEach(Node, Accept))

(* A refusal.  Without hope for a quorum the ballot is given up. *)
OnNack(n, reply) ==
  LET m == memory[n]
      refusals == m.refusedBy \cup {reply.from}
      after == [m EXCEPT !.highest = Max(m.highest, reply.promised), !.refusedBy = refusals]
  IN  /\ reply.ballot = m.ballot
      /\ m.phase \in {"preparing", "accepting"}
      \* The same refusal once more says nothing.
      /\ after /= m
      /\ IF NodeCount - Cardinality(refusals) >= QuorumSize
         THEN Step(n, after, <<>>)
         ELSE Step(n, [after EXCEPT !.phase = "backing_off"], <<>>)

Learning(m, learned) ==
  [m EXCEPT !.learned = learned, !.tallies = {}, !.phase = "done", !.wish = ""]

(* A learner counts, for each pair apart; with a quorum it tells its peers. *)
OnAccepted(n, reply) ==
  LET m == memory[n]
      tallies == m.tallies
                 \cup {[node |-> reply.from, ballot |-> reply.ballot, value |-> reply.value]}
      acceptors == {t.node : t \in {t \in tallies :
                      t.ballot = reply.ballot /\ t.value = reply.value}}
      learned == [ballot |-> reply.ballot, value |-> reply.value, acceptors |-> acceptors]
      Learn(to) == [type |-> "learn", from |-> n, to |-> to, learned |-> learned]
  IN  /\ m.learned = NothingLearned
      /\ IF Cardinality(acceptors) < QuorumSize
         THEN Step(n, [m EXCEPT !.tallies = tallies], <<>>)
         ELSE Step(n, Learning(m, learned),
                   <<LearnedRecord(learned)>> \o SendToEach(Node \ {n}, Learn))

OnLearn(n, news) ==
  /\ memory[n].learned = NothingLearned
  /\ Step(n, Learning(memory[n], news.learned), <<LearnedRecord(news.learned)>>)

Deliver(n) ==
  /\ AtRest(n)
  /\ \E message \in messages :
       /\ message.to = n
       /\ CASE message.type = "prepare"  -> OnPrepare(n, message)
            [] message.type = "promise"  -> OnPromise(n, message)
            [] message.type = "accept"   -> OnAccept(n, message)
            [] message.type = "accepted" -> OnAccepted(n, message)
            [] message.type = "nack"     -> OnNack(n, message)
            [] message.type = "learn"    -> OnLearn(n, message)
  /\ UNCHANGED <<up, durable, cached, refused, onceDurable, messages, ballots, crashes, faults>>

-----------------------------------------------------------------------------
(* The next effect. *)

Written(disk, record) ==
  CASE record.of = "acceptor" ->
         [disk EXCEPT !.promised = record.promised, !.accepted = record.accepted]
    [] record.of = "round" -> [disk EXCEPT !.round = record.round]
    [] record.of = "learned" -> [disk EXCEPT !.learned = record.learned]

MadeDurable(n, disk) ==
  /\ durable' = [durable EXCEPT ![n] = disk]
  /\ onceDurable' = [onceDurable EXCEPT ![n] = @ \cup ({disk.accepted} \ {NoPair})]

(* A crash between a write and its sync needs no state of its own: a kill   *)
(* there is one behind the sync, a power loss there one before the write.   *)
(* What is learned is written without a sync; the next one takes it along.  *)
WriteNext(n, record) ==
  /\ cached' = [cached EXCEPT ![n] = Written(@, record)]
  /\ IF record.of = "learned"
     THEN UNCHANGED <<durable, onceDurable>>
     ELSE MadeDurable(n, Written([durable[n] EXCEPT !.learned = cached[n].learned], record))
  /\ UNCHANGED messages

SendNext(message) ==
  /\ messages' = messages \cup {message}
  /\ UNCHANGED <<cached, durable, onceDurable>>

Effect(n) ==
  /\ n \in up
  /\ pending[n] /= <<>>
  /\ LET next == Head(pending[n])
     IN IF next.kind = "write" THEN WriteNext(n, next.record) ELSE SendNext(next.message)
  /\ pending' = [pending EXCEPT ![n] = Settled(Tail(@), messages')]
  /\ UNCHANGED <<up, memory, refused, ballots, crashes, faults>>

-----------------------------------------------------------------------------
(* Crashes, starts, and faults of the disk. *)

Down(n) ==
  /\ up' = up \ {n}
  /\ memory' = [memory EXCEPT ![n] = Blank]
  /\ pending' = [pending EXCEPT ![n] = <<>>]

(* Memory is lost; the page cache outlives the process. *)
Kill(n) ==
  /\ n \in up
  /\ crashes < MaxCrashes
  /\ Down(n)
  /\ crashes' = crashes + 1
  /\ UNCHANGED <<durable, cached, refused, onceDurable, messages, ballots, faults>>

(* Memory is lost, and so is what was not synced. *)
LosePower(n) ==
  /\ n \in up
  /\ crashes < MaxCrashes
  /\ Down(n)
  /\ cached' = [cached EXCEPT ![n] = durable[n]]
  /\ crashes' = crashes + 1
  /\ UNCHANGED <<durable, refused, onceDurable, messages, ballots, faults>>

(* What a node reads is durable before it serves. *)
Start(n) ==
  /\ n \notin up \cup refused
  /\ up' = up \cup {n}
  /\ memory' = [memory EXCEPT ![n] = Recovered(cached[n])]
  /\ MadeDurable(n, cached[n])
  /\ UNCHANGED <<pending, cached, refused, messages, ballots, crashes, faults>>

WritesNext(n) == n \in up /\ pending[n] /= <<>> /\ Head(pending[n]).kind = "write"

(* A sync fails, and the process ends: it is never tried again. *)
FailSync(n) ==
  /\ WritesNext(n)
  /\ Head(pending[n]).record.of /= "learned"
  /\ faults < MaxFaults
  /\ Down(n)
  /\ cached' = [cached EXCEPT ![n] = Written(@, Head(pending[n]).record)]
  /\ faults' = faults + 1
  /\ UNCHANGED <<durable, refused, onceDurable, messages, ballots, crashes>>

(* Power is lost in the middle of a write: the torn record is cut off. *)
TearWrite(n) ==
  /\ WritesNext(n)
  /\ faults < MaxFaults /\ crashes < MaxCrashes
  /\ Down(n)
  /\ cached' = [cached EXCEPT ![n] = durable[n]]
  /\ crashes' = crashes + 1 /\ faults' = faults + 1
  /\ UNCHANGED <<durable, refused, onceDurable, messages, ballots>>

(* The last record is corrupt, or the disk is lost: no start ever again. *)
LoseDisk(n) ==
  /\ n \notin up \cup refused
  /\ faults < MaxFaults
  /\ refused' = refused \cup {n}
  /\ faults' = faults + 1
  /\ UNCHANGED <<up, memory, pending, durable, cached, onceDurable, messages, ballots, crashes>>

-----------------------------------------------------------------------------
Next ==
  \E n \in Node :
    \/ StartBallot(n) \/ Deliver(n) \/ Effect(n)
    \/ Kill(n) \/ LosePower(n) \/ Start(n)
    \/ FailSync(n) \/ TearWrite(n) \/ LoseDisk(n)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Chosen: a quorum of distinct acceptors has made one pair durable. *)
Chosen ==
  {pair.value : pair \in {p \in UNION {onceDurable[n] : n \in Node} :
     Cardinality({n \in Node : p \in onceDurable[n]}) >= QuorumSize}}

Learned == {memory[n].learned.value : n \in Node} \ {""}

Agreement == Cardinality(Chosen) <= 1 /\ Learned \subseteq Chosen
=============================================================================
