// What the page says a log lacks, for the tests. Takes logs, a text each, as
// JSON on standard input, and answers with the notice of each.
import { readFileSync } from "node:fs";
import { openTexts } from "../web/log/open.js";

const catalogue = JSON.parse(readFileSync(new URL("../paxos/events/catalogue.json", import.meta.url), "utf-8"));
const texts = JSON.parse(readFileSync(0, "utf-8"));
process.stdout.write(JSON.stringify(texts.map((text) => openTexts(catalogue, new Map([["events.jsonl", text]]), "run").notice)));
