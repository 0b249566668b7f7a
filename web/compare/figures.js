// What can be counted of a run, to put beside another one's. Pure.

/** @import {Timeline} from "../log/timeline.js" */

import { restOf } from "../log/timeline.js";
import { shortText } from "../log/values.js";
import { words as base } from "../words.js";
import { compareWords as words } from "./words.js";

const KINDS = ["prepare", "promise", "accept", "accepted", "nack", "learn", "learned", "status"];

/**
 * @param {Timeline} timeline
 * @returns {[string, string][]} names and figures, the same names for every run, in order
 */
export function figuresOf(timeline) {
  const count = timeline.length;
  const kinds = new Map(KINDS.map((kind) => [kind, 0]));
  let lost = 0;
  for (let place = 0; place < timeline.flightCount; place += 1) {
    const { kind, fate } = timeline.flight(place);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    if (fate !== "received" && fate !== "open") lost += 1;
  }
  const wish = firstWish(timeline);
  const choice = timeline.chosen[0];
  const { verdict } = timeline;
  return [
    [words.verdict, verdict === null ? base.noVerdict : `${base.ruleMarks[verdict.verdict]} ${base.verdicts[verdict.verdict]}`],
    [words.broken, verdict === null ? words.none : [...new Set(verdict.violations.map((one) => one.rule))].join(", ") || words.none],
    [words.chosen, choice === undefined ? words.nothing : chosenText(timeline)],
    [words.timeToChoice, choice === undefined ? words.none : base.ms(timeline.ms[choice.at] - (wish < 0 ? 0 : timeline.ms[wish]))],
    [words.lasted, base.ms(timeline.ms[restOf(timeline)])],
    [words.events, count.toLocaleString("en")],
    [words.ballots, String(timeline.ballots.length)],
    [words.messages, timeline.flightCount.toLocaleString("en")],
    ...KINDS.map((kind) => /** @type {[string, string]} */ ([words.ofKind(base.kinds[kind]), (kinds.get(kind) ?? 0).toLocaleString("en")])),
    [words.lost, lost.toLocaleString("en")],
  ];
}

/** What was chosen, by instance; two values of one instance are both told. @param {Timeline} timeline */
function chosenText({ chosen }) {
  const told = chosen.slice(0, 3).map(({ value, ballot }) => words.chosenAt(shortText(value), ballot));
  return chosen.length > 3 ? `${told.join("; ")}; ${words.andMore(chosen.length - 3)}` : told.join("; ");
}

/** When a client first wished for anything, from where the time to the choice runs. @param {Timeline} timeline */
function firstWish(timeline) {
  for (let at = 0; at < timeline.length; at += 1) {
    if (timeline.ours[at] && timeline.eventOf(at) === "propose_received") return at;
  }
  return -1;
}
