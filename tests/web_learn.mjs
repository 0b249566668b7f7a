// What the tour and the exhibits say, and where in their stories it is, for
// the tests. Takes a folder of stories as JSON on standard input.
import { readFileSync } from "node:fs";
import { EXHIBITS } from "../web/learn/exhibits.js";
import { allPlaces } from "../web/learn/guides.js";
import { find } from "../web/learn/moments.js";
import { TOUR } from "../web/learn/tour.js";
import { words } from "../web/learn/words.js";
import { narrate } from "../web/log/narration.js";
import { buildTimeline } from "../web/log/timeline.js";
import { packRecipe, unpackRecipe } from "../web/sandbox/recipe.js";

const { folder } = JSON.parse(readFileSync(0, "utf-8"));
const catalogue = JSON.parse(readFileSync(new URL("../paxos/events/catalogue.json", import.meta.url), "utf-8"));

const made = new Map();
function timelineOf(story) {
  if (!made.has(story)) {
    const file = (name) => readFileSync(`${folder}/${story}/${name}`, "utf-8");
    const lines = file("events.jsonl").trimEnd().split("\n").map((line) => JSON.parse(line));
    made.set(story, buildTimeline(catalogue, { lines, meta: JSON.parse(file("run.json")), verdict: JSON.parse(file("verdict.json")) }));
  }
  return made.get(story);
}

/** Where a scene's moments are. */
function scene({ story, at, window = [], node }) {
  const timeline = timelineOf(story);
  const place = find(timeline, at);
  return {
    story,
    at: place,
    said: place < 0 ? null : narrate(catalogue, timeline.line(place)),
    window: window.map((moment) => find(timeline, moment)),
    lane: node === undefined || timeline.lanes.includes(node),
  };
}

const told = ({ id, beats }, all) => ({
  id,
  title: all[id]?.title,
  section: all[id]?.section,
  insight: all[id]?.insight,
  challenge: all[id]?.challenge,
  beats: beats.length,
  captions: all[id]?.beats.length,
  questions: beats.filter((beat) => beat.question).length,
  asked: all[id]?.question,
});

process.stdout.write(
  JSON.stringify({
    places: await Promise.all(allPlaces().map(async ({ key, beat }) => {
      const { question, open } = beat;
      return {
        key,
        scene: scene(beat),
        then: question?.then === undefined ? null : scene({ ...beat, ...question.then }),
        question: question === undefined ? null : { answers: question.answers, right: question.right },
        open: open ?? null,
        /** What comes out of the link to its recipe. */
        linked: open === undefined ? null : await unpackRecipe(await packRecipe(open.recipe)),
      };
    })),
    tour: TOUR.map((step) => told(step, words.tour)),
    exhibits: EXHIBITS.map((step) => told(step, words.exhibits)),
  }),
);
