/** The shapes that the page's modules share. Types only: nothing of this is loaded by a browser. */

/** A value as it stands in the log: itself, or length and digest of a long one. */
export type Value = string | { bytes: number; sha256: string };

export interface Proposal {
  ballot: string;
  value: Value;
}

/** One line of the log. The header is checked on reading; the rest depends on the event. */
export interface Line {
  v: number;
  node: string;
  incarnation: number;
  seq: number;
  at_ns: number;
  event: string;
  [field: string]: any;
}

export type Level = "story" | "detail" | "quiet";

export interface Sentence {
  when?: Record<string, string | number | boolean | null>;
  level?: Level;
  text: string;
}

export interface EventEntry {
  means: string;
  by: string;
  level: Level;
  bundle?: string;
  fields: Record<string, string>;
  say: Sentence[];
}

export interface Catalogue {
  version: number;
  header: Record<string, string>;
  events: Record<string, EventEntry>;
}

/* --- what the reducer folds to ------------------------------------------------ */

export interface Memory {
  promised: string;
  accepted: Proposal | null;
}

export interface AcceptorView {
  /** null: lost with its process. */
  memory: Memory | null;
  disk: Memory;
}

export interface ProposerView {
  phase: string;
  ballot: string;
  attempt: number;
  wanted: Value | null;
}

export interface Tally {
  value: Value;
  acceptors: string[];
}

export interface BallotView {
  proposer: string;
  /** The value of its Accept requests; null until the first. */
  value: Value | null;
  /** Who dictated the value, and the client's value that had to yield. */
  reported_by: string | null;
  wanted: Value | null;
  /** Acceptors whose Promise has been sent; those that the proposer has heard. */
  promised: string[];
  promises_heard: string[];
  /** Acceptors that have accepted (on disk, or said so), by value. */
  accepted: Tally[];
  accepts_heard: string[];
  refused_by: string[];
}

export interface Learned {
  ballot: string;
  value: Value;
  acceptors: string[];
}

export interface Chosen extends Learned {
  /** The line at which the quorum was complete. */
  line: string;
}

export interface InstanceView {
  acceptors: Record<string, AcceptorView>;
  proposers: Record<string, ProposerView>;
  ballots: Record<string, BallotView>;
  /** What each node knows now; gone from here while its process is down. */
  learned: Record<string, Learned>;
  /** When each node learned first. */
  learned_at: { node: string; value: Value; line: string }[];
  /** More than one entry means that agreement is broken. */
  chosen: Chosen[];
  /** Per node: the message that it took last, which its replies answer. */
  answering: Record<string, string>;
}

export interface NodeView {
  status: "unseen" | "up" | "paused" | "down";
  incarnation: number;
  /** What ended it: kill, stop, power_loss, failpoint or exit. */
  ended_by: string | null;
  gate: any[];
}

export interface Message {
  /** The line that sent it: its name. */
  line: string;
  kind: string;
  source: string;
  to: string;
  instance: number | null;
  ballot: string | null;
  value: Value | null;
  /** What a Promise reports as accepted. */
  accepted: Proposal | null;
  /** What a Nack says is promised. */
  promised: string | null;
  in_reply_to: string | null;
  held_at: string | null;
}

export interface Fault {
  fault: string;
  targets: string[];
  mechanism: string;
  detail: any;
  line: string;
}

export interface TurningPoint {
  line: string;
  kind: string;
  instance: number | null;
}

export interface State {
  line_count: number;
  last: string | null;
  run: { run: string; scenario: string; title: string; world: string } | null;
  members: string[];
  nodes: Record<string, NodeView>;
  instances: Record<string, InstanceView>;
  messages: Message[];
  /** Requests whose call has ended: what answers them now is lost. */
  failed_calls: string[];
  lost_count: number;
  faults: Fault[];
  /** Directed: "n1>n4" means that nothing of n1's reaches n4. */
  cuts: string[];
  turning_points: TurningPoint[];
}
