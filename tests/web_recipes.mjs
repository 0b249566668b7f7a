// What the page makes of recipes, for the tests that compare it with Python.
// Takes runs and cuts as JSON on standard input and answers them as JSON.
import { readFileSync } from "node:fs";
import { forked, isByHandAt, rewound } from "../web/sandbox/recipe.js";

const { runs, step } = JSON.parse(readFileSync(0, "utf-8"));

const answers = runs.map(({ run, cuts }) =>
  cuts.map((at) => ({ forked: forked(run, at, step), rewound: rewound(run, at), byHand: isByHandAt(run, at) })),
);
process.stdout.write(JSON.stringify(answers));
