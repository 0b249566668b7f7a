// What of the page's modules is text for people: found by reading them as text,
// for whoever asks whether all of it stands in the rooms' words.
//
// Reads `{root}`, the page's folder, from its standard input; answers
// `{modules, words}`. `modules` has, for each file that holds no words, its
// texts, `{file, text, kind, before}`: `kind` is "shown" for what stands in a
// template outside of its tags or in an attribute that is read out, else
// "text"; `before` is the code in front of it. `words` has, for each file of
// words, `{file, imports, bad, names}`: what it imports, the paths of leaves
// that give no text, and of each leaf its own name.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { root } = JSON.parse(readFileSync(0, "utf-8"));

/** Attributes whose text is shown or read out. */
const SPOKEN = /\b(?:aria-label|aria-description|title|placeholder|alt)="([^"]*)"/g;

/** The texts of a module, strings and templates, with the code before each. */
function textsOf(code) {
  const found = [];
  let at = 0;
  let plain = "";

  /** Read code up to its end, or up to the brace that closes a template's hole. */
  function read(inHole) {
    let depth = 0;
    while (at < code.length) {
      const [one, two] = [code[at], code.slice(at, at + 2)];
      if (two === "//" ) at = after("\n");
      else if (two === "/*") at = after("*/");
      else if (one === '"' || one === "'") string(one);
      else if (one === "`") template();
      else if (one === "/" && /(?:^|[=(,:[!&|?{};\n]|return|=>)\s*$/.test(plain.slice(-20))) regex();
      else {
        if (one === "{") depth += 1;
        if (one === "}") {
          if (inHole && depth === 0) return;
          depth -= 1;
        }
        plain += one;
        at += 1;
      }
    }
  }

  const after = (end) => {
    const place = code.indexOf(end, at + 2);
    return place < 0 ? code.length : place + (end === "\n" ? 0 : end.length);
  };

  function string(quote) {
    const before = plain.slice(-60);
    let text = "";
    for (at += 1; code[at] !== quote; at += 1) {
      if (code[at] === "\\") at += 1;
      text += code[at];
    }
    at += 1;
    plain += '""';
    found.push({ text, before, tag: "" });
  }

  function template() {
    const before = plain.slice(-60);
    const tag = /(html|svg)$/.exec(before)?.[1] ?? "";
    let text = "";
    plain += "`";
    for (at += 1; code[at] !== "`"; ) {
      if (code[at] === "\\") {
        text += code[at + 1];
        at += 2;
      } else if (code.startsWith("${", at)) {
        at += 2;
        plain += "(";
        read(true);
        at += 1;
        plain += ")";
        text += "\0";
      } else {
        text += code[at];
        at += 1;
      }
    }
    at += 1;
    plain += "`";
    found.push({ text, before, tag });
  }

  function regex() {
    let inClass = false;
    for (at += 1; inClass || code[at] !== "/"; at += 1) {
      if (code[at] === "[") inClass = true;
      if (code[at] === "]") inClass = false;
      if (code[at] === "\\") at += 1;
    }
    at += 1;
    plain += "/r/";
  }

  read(false);
  return found;
}

/** What of a text is for people. */
function shownOf({ text, before, tag }) {
  if (tag === "") return [{ kind: "text", text, before }];
  const shown = text.replace(/<[^>]*>/g, "\n").split("\n");
  const spoken = [...text.matchAll(SPOKEN)].map((found) => found[1]);
  return [...shown, ...spoken].map((part) => ({ kind: "shown", text: part.trim(), before }));
}

const names = readdirSync(root, { recursive: true })
  .map(String)
  .filter((file) => file.endsWith(".js") && !file.includes("node_modules") && !file.startsWith("vendor"))
  .sort();
const isWords = (file) => /(?:^|[/_-])words\.js$/.test(file);

const modules = names
  .filter((file) => !isWords(file))
  .flatMap((file) => textsOf(readFileSync(join(root, file), "utf-8")).flatMap(shownOf).map((one) => ({ file, ...one })));

/** Leaves of a value: texts, numbers, and functions that give a text. */
function leaves(value, path, bad, names) {
  if (typeof value === "object" && value !== null) {
    for (const [name, part] of Object.entries(value)) {
      if (!Array.isArray(value)) names.push(path.length === 0 ? name : [...path, name].join("."));
      leaves(part, [...path, name], bad, names);
    }
  } else if (!["string", "function", "number", "boolean"].includes(typeof value) && value !== null) bad.push(path.join("."));
}

const words = [];
for (const file of names.filter(isWords)) {
  const source = readFileSync(join(root, file), "utf-8");
  const imports = [...source.matchAll(/^import .* from "([^"]+)"/gm)].map((found) => found[1]);
  const module = await import(pathToFileURL(join(root, file)).href);
  const [bad, own] = [[], []];
  for (const [name, value] of Object.entries(module)) leaves(value, [name], bad, own);
  words.push({ file, imports, bad, names: own });
}

process.stdout.write(JSON.stringify({ modules, words }));
