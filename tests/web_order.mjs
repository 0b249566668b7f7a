// In what order the page shows the lines of a live run, for the tests. Takes as
// JSON on standard input what arrived, moment by moment ({at, lines}), and
// answers with the lines that were shown at each.
import { readFileSync } from "node:fs";
import { CausalOrder } from "../web/live/order.js";

const order = new CausalOrder();
const moments = JSON.parse(readFileSync(0, "utf-8"));
process.stdout.write(JSON.stringify(moments.map(({ at, lines }) => order.pass(lines, at))));
