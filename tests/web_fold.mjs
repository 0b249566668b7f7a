// What the page makes of logs, for the tests that compare it with Python.
// Takes a request as JSON on standard input and answers it as JSON.
import { readFileSync } from "node:fs";
import { problem } from "../web/log/lines.js";
import { bundled, levelOf, narrate } from "../web/log/narration.js";
import { empty, fold } from "../web/log/reducer.js";

const request = JSON.parse(readFileSync(0, "utf-8"));
const catalogue = JSON.parse(readFileSync(new URL("../paxos/events/catalogue.json", import.meta.url), "utf-8"));
const lines = request.lines ?? [];

const answers = {
  /** The state after every line. */
  fold() {
    const states = [];
    let state = empty(request.members ?? []);
    for (const line of lines) {
      state = fold(state, line);
      states.push(state);
    }
    return states;
  },
  narrate: () => lines.map((line) => [levelOf(catalogue, line), narrate(catalogue, line)]),
  bundled: () => bundled(catalogue, lines).map(({ count, text }) => [count, text]),
  problem: () => lines.map((line) => problem(catalogue, line)),
};

process.stdout.write(JSON.stringify(answers[request.ask]()));
