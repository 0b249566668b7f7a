// A canvas that writes SVG: what `paint` of the space-time view draws on it
// becomes lines, shapes and text of a picture. Text stays text.
//
// It knows the methods and properties of a 2D context that a drawing of lines,
// shapes and words needs; transforms may move, turn and scale evenly.

import { escaped } from "./markup.js";

/** @typedef {[number, number, number, number]} Box left, top, right, bottom */
/** @typedef {{id: number, box: Box | null}} Clip */
/** @typedef {{clip: number, about: string | null, name: string, attributes: Map<string, string>, text: string}} Item */

const ANCHORS = /** @type {Record<string, string>} */ ({ center: "middle", right: "end", end: "end" });
const FONT = /^(?:(italic|oblique) )?(?:(bold|normal|\d{3}) )?([\d.]+)px (.+)$/;
/** How wide a letter is in parts of its height, where nothing can measure it. */
const LETTER = 0.56;

/** @param {string} font as a canvas takes it @returns {{style: string, weight: string, size: number, family: string}} */
export function fontOf(font) {
  const [, style = "", weight = "", size, family] = FONT.exec(font) ?? ["", "", "", "10", "sans-serif"];
  return { style, weight, size: Number(size), family };
}

/** A coordinate, as short as a picture allows. @param {number} value */
const short = (value) => String(Math.round(value * 100) / 100);

/** The methods of a 2D context, written down as SVG. */
export class SvgContext {
  globalAlpha = 1;
  fillStyle = "#000";
  strokeStyle = "#000";
  lineWidth = 1;
  lineJoin = "miter";
  lineCap = "butt";
  font = "10px sans-serif";
  textAlign = "start";
  textBaseline = "alphabetic";

  /**
   * @param {number} width in pixels @param {number} height
   * @param {(font: string, text: string) => number} [measure] how wide a text is
   */
  constructor(width, height, measure = (font, text) => [...text].length * fontOf(font).size * LETTER) {
    this.width = width;
    this.height = height;
    this.measure = measure;
    /** @type {number[]} */ this.dash = [];
    /** @type {number[]} */ this.matrix = [1, 0, 0, 1, 0, 0];
    /** @type {Clip} */ this.clipped = { id: 0, box: null };
    /** @type {any[]} */ this.stack = [];
    /** @type {string[]} */ this.clips = [];
    /** @type {Map<string, Clip>} */ this.knownClips = new Map();
    /** @type {Item[]} */ this.items = [];
    /** @type {string[]} */ this.path = [];
    /** @type {Box | null} what the path is, while it is one upright rectangle */ this.box = null;
    this.pathNumber = 0;
    /** What the last item is: the fill of which path, or the halo of which text. */
    this.last = "";
    /** @type {string | null} */ this.subject = null;
  }

  /** Not of a canvas: what follows draws this line's message; null for nothing in particular. @param {string | null} name */
  about(name) {
    this.subject = name;
  }

  /* --- state -------------------------------------------------------------------------- */

  save() {
    const { globalAlpha, fillStyle, strokeStyle, lineWidth, lineJoin, lineCap, font, textAlign, textBaseline } = this;
    const style = { globalAlpha, fillStyle, strokeStyle, lineWidth, lineJoin, lineCap, font, textAlign, textBaseline };
    const { dash, matrix, clipped } = this;
    this.stack.push({ ...style, dash, matrix, clipped });
  }

  restore() {
    const kept = this.stack.pop();
    if (kept !== undefined) Object.assign(this, kept);
  }

  /** @param {number[]} dash */
  setLineDash(dash) {
    this.dash = [...dash];
  }

  getLineDash() {
    return [...this.dash];
  }

  /** @param {...number} matrix */
  setTransform(...matrix) {
    this.matrix = matrix;
  }

  resetTransform() {
    this.matrix = [1, 0, 0, 1, 0, 0];
  }

  /** @param {...number} by */
  transform(...by) {
    const [a, b, c, d, e, f] = this.matrix;
    const [p, q, r, s, t, u] = by;
    this.matrix = [a * p + c * q, b * p + d * q, a * r + c * s, b * r + d * s, a * t + c * u + e, b * t + d * u + f];
  }

  /** @param {number} x @param {number} y */
  translate(x, y) {
    this.transform(1, 0, 0, 1, x, y);
  }

  /** @param {number} x @param {number} y */
  scale(x, y) {
    this.transform(x, 0, 0, y, 0, 0);
  }

  /** @param {number} angle */
  rotate(angle) {
    this.transform(Math.cos(angle), Math.sin(angle), -Math.sin(angle), Math.cos(angle), 0, 0);
  }

  /* --- paths ---------------------------------------------------------------------------- */

  beginPath() {
    this.path = [];
    this.box = null;
    this.pathNumber += 1;
  }

  /** @param {number} x @param {number} y */
  moveTo(x, y) {
    this.#add("M", [x, y]);
  }

  /** @param {number} x @param {number} y */
  lineTo(x, y) {
    this.#add(this.path.length === 0 ? "M" : "L", [x, y]);
  }

  /** @param {number} cx @param {number} cy @param {number} x @param {number} y */
  quadraticCurveTo(cx, cy, x, y) {
    this.#add("Q", [cx, cy], [x, y]);
  }

  /** @param {number} ax @param {number} ay @param {number} bx @param {number} by @param {number} x @param {number} y */
  bezierCurveTo(ax, ay, bx, by, x, y) {
    this.#add("C", [ax, ay], [bx, by], [x, y]);
  }

  closePath() {
    if (this.path.length > 0) this.path.push("Z");
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  rect(x, y, width, height) {
    const alone = this.path.length === 0 && this.matrix[1] === 0 && this.matrix[2] === 0;
    this.#add("M", [x, y]);
    this.#add("L", [x + width, y]);
    this.#add("L", [x + width, y + height]);
    this.#add("L", [x, y + height]);
    this.closePath();
    const [left, top] = this.#moved(x, y);
    const [right, bottom] = this.#moved(x + width, y + height);
    if (alone) this.box = [Math.min(left, right), Math.min(top, bottom), Math.max(left, right), Math.max(top, bottom)];
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height @param {number | number[]} [radius] */
  roundRect(x, y, width, height, radius = 0) {
    const r = Math.min(Array.isArray(radius) ? (radius[0] ?? 0) : radius, width / 2, height / 2);
    this.moveTo(x + r, y);
    this.lineTo(x + width - r, y);
    this.quadraticCurveTo(x + width, y, x + width, y + r);
    this.lineTo(x + width, y + height - r);
    this.quadraticCurveTo(x + width, y + height, x + width - r, y + height);
    this.lineTo(x + r, y + height);
    this.quadraticCurveTo(x, y + height, x, y + height - r);
    this.lineTo(x, y + r);
    this.quadraticCurveTo(x, y, x + r, y);
    this.closePath();
  }

  /** @param {number} x @param {number} y @param {number} radius @param {number} from @param {number} to @param {boolean} [back] */
  arc(x, y, radius, from, to, back = false) {
    this.ellipse(x, y, radius, radius, 0, from, to, back);
  }

  /**
   * @param {number} x @param {number} y @param {number} rx @param {number} ry @param {number} turn
   * @param {number} from @param {number} to @param {boolean} [back] whether it runs against the clock
   */
  ellipse(x, y, rx, ry, turn, from, to, back = false) {
    const round = Math.PI * 2;
    const swept = back ? from - to : to - from;
    // As a canvas does: a full turn or more is the whole, anything else is taken within one turn.
    const sweep = swept >= round ? round : ((swept % round) + round) % round;
    const at = (/** @type {number} */ angle) => {
      const [px, py] = [rx * Math.cos(angle), ry * Math.sin(angle)];
      return /** @type {[number, number]} */ ([x + px * Math.cos(turn) - py * Math.sin(turn), y + px * Math.sin(turn) + py * Math.cos(turn)]);
    };
    this.lineTo(...at(from));
    const size = Math.sqrt(Math.abs(this.matrix[0] * this.matrix[3] - this.matrix[1] * this.matrix[2]));
    const degrees = ((turn + Math.atan2(this.matrix[1], this.matrix[0])) * 180) / Math.PI;
    // A picture cannot draw a whole turn in one piece: where it ends is where it begins.
    for (const half of [0.5, 1]) {
      const [ex, ey] = this.#moved(...at(from + (back ? -1 : 1) * sweep * half));
      this.path.push(`A${short(rx * size)} ${short(ry * size)} ${short(degrees)} 0 ${back ? 0 : 1} ${short(ex)} ${short(ey)}`);
    }
    this.box = null;
  }

  /** @param {string} letter @param {...[number, number]} points */
  #add(letter, ...points) {
    this.box = null;
    this.path.push(letter + points.map(([x, y]) => this.#moved(x, y).map(short).join(" ")).join(" "));
  }

  /** @param {number} x @param {number} y @returns {[number, number]} */
  #moved(x, y) {
    const [a, b, c, d, e, f] = this.matrix;
    return [a * x + c * y + e, b * x + d * y + f];
  }

  clip() {
    const outer = this.clipped;
    // Rectangles in rectangles are one rectangle: simpler for whoever opens the picture.
    const box = /** @type {Box | null} */ (this.box !== null && (outer.id === 0 || outer.box !== null) ? meet(outer.box, this.box) : null);
    const shape =
      box === null
        ? `<path d="${this.path.join("")}"/>`
        : `<rect x="${short(box[0])}" y="${short(box[1])}" width="${short(box[2] - box[0])}" height="${short(box[3] - box[1])}"/>`;
    const within = box === null && outer.id !== 0 ? ` clip-path="url(#clip${outer.id})"` : "";
    const known = this.knownClips.get(within + shape);
    if (known !== undefined) {
      this.clipped = known;
      return;
    }
    this.clipped = { id: this.clips.length + 1, box };
    this.clips.push(`<clipPath id="clip${this.clipped.id}"${within}>${shape}</clipPath>`);
    this.knownClips.set(within + shape, this.clipped);
  }

  /* --- what shows ------------------------------------------------------------------------- */

  fill() {
    const attributes = new Map([["d", this.path.join("")], ...this.#filled()]);
    if (this.path.length > 0) this.#item("path", attributes, "", `fill ${this.pathNumber} ${this.path.length}`);
  }

  stroke() {
    if (this.path.length === 0) return;
    const before = this.items[this.items.length - 1];
    const same = this.last === `fill ${this.pathNumber} ${this.path.length}` && before.clip === this.clipped.id;
    if (same) {
      for (const [name, value] of this.#stroked()) before.attributes.set(name, value);
      this.last = "";
      return;
    }
    this.#item("path", new Map([["d", this.path.join("")], ["fill", "none"], ...this.#stroked()]), "", "");
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  clearRect(x, y, width, height) {
    if (x <= 0 && y <= 0 && width >= this.width && height >= this.height) this.items = [];
    this.last = "";
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  fillRect(x, y, width, height) {
    this.#apart(() => {
      this.rect(x, y, width, height);
      this.fill();
    });
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  strokeRect(x, y, width, height) {
    this.#apart(() => {
      this.rect(x, y, width, height);
      this.stroke();
    });
  }

  /** Draw something without touching the path that is being made. @param {() => void} draw */
  #apart(draw) {
    const { path, box } = this;
    this.path = [];
    draw();
    [this.path, this.box] = [path, box];
    this.last = "";
  }

  /** @param {string} text */
  measureText(text) {
    return { width: this.measure(this.font, text) };
  }

  /** @param {string} text @param {number} x @param {number} y */
  fillText(text, x, y) {
    const attributes = new Map([...this.#lettered(x, y), ...this.#filled()]);
    const before = this.items[this.items.length - 1];
    if (this.last === `halo ${x} ${y} ${text}` && before.clip === this.clipped.id) {
      // The halo and its text are one: whoever searches or reads the picture finds it once.
      for (const [name, value] of attributes) before.attributes.set(name, value);
      before.attributes.set("paint-order", "stroke");
      this.last = "";
      return;
    }
    this.#item("text", attributes, text, "");
  }

  /** @param {string} text @param {number} x @param {number} y */
  strokeText(text, x, y) {
    this.#item("text", new Map([...this.#lettered(x, y), ["fill", "none"], ...this.#stroked()]), text, `halo ${x} ${y} ${text}`);
  }

  /** @returns {[string, string][]} */
  #filled() {
    const { fillStyle, globalAlpha } = this;
    /** @type {[string, string][]} */
    const paint = [["fill", fillStyle]];
    return globalAlpha < 1 ? [...paint, ["fill-opacity", short(globalAlpha)]] : paint;
  }

  /** @returns {[string, string][]} */
  #stroked() {
    const { strokeStyle, globalAlpha, lineWidth, lineJoin, lineCap } = this;
    const size = Math.sqrt(Math.abs(this.matrix[0] * this.matrix[3] - this.matrix[1] * this.matrix[2]));
    /** @type {[string, string][]} */
    const paint = [["stroke", strokeStyle], ["stroke-width", short(lineWidth * size)]];
    if (globalAlpha < 1) paint.push(["stroke-opacity", short(globalAlpha)]);
    if (this.dash.length > 0) paint.push(["stroke-dasharray", this.dash.map((one) => short(one * size)).join(" ")]);
    if (lineJoin !== "miter") paint.push(["stroke-linejoin", lineJoin]);
    if (lineCap !== "butt") paint.push(["stroke-linecap", lineCap]);
    return paint;
  }

  /** @param {number} x @param {number} y @returns {[string, string][]} */
  #lettered(x, y) {
    const { font, textAlign, textBaseline } = this;
    const { style, weight, size, family } = fontOf(font);
    const plain = this.matrix.slice(0, 4).join() === "1,0,0,1";
    const [px, py] = plain ? this.#moved(x, y) : [x, y];
    /** @type {[string, string][]} */
    const found = [["x", short(px)], ["y", short(py)], ["font-family", family], ["font-size", short(size)]];
    if (style !== "") found.push(["font-style", style]);
    if (weight !== "" && weight !== "normal") found.push(["font-weight", weight]);
    if (ANCHORS[textAlign] !== undefined) found.push(["text-anchor", ANCHORS[textAlign]]);
    if (textBaseline === "middle") found.push(["dominant-baseline", "central"]);
    if (textBaseline === "top" || textBaseline === "hanging") found.push(["dominant-baseline", "hanging"]);
    if (!plain) found.push(["transform", `matrix(${this.matrix.map(short).join(" ")})`]);
    return found;
  }

  /** @param {string} name @param {Map<string, string>} attributes @param {string} text @param {string} last */
  #item(name, attributes, text, last) {
    this.last = last;
    if (this.globalAlpha <= 0) {
      this.last = "";
      return;
    }
    this.items.push({ clip: this.clipped.id, about: this.subject, name, attributes, text });
  }

  /**
   * The picture as a file.
   * @param {{title: string, description: string, background: string, tell?: (name: string) => string, footer?: string, ids?: string}} about
   *   `tell`: the sentence of a message, by the line that sent it; `ids`: what its ids begin with, for a picture within a page
   */
  toSvg({ title, description, background, tell, ids = "" }) {
    const own = (/** @type {string} */ text) => text.replace(/id="clip/g, `id="${ids}clip`).replace(/url\(#clip/g, `url(#${ids}clip`);
    const out = [
      `<svg xmlns="http://www.w3.org/2000/svg" width="${this.width}" height="${this.height}" viewBox="0 0 ${this.width} ${this.height}" role="img">`,
      `<title>${escaped(title)}</title>`,
      `<desc>${escaped(description)}</desc>`,
      this.clips.length === 0 ? "" : own(`<defs>${this.clips.join("")}</defs>`),
      `<rect width="${this.width}" height="${this.height}" fill="${escaped(background)}"/>`,
    ];
    let [clip, about] = [0, /** @type {string | null} */ (null)];
    for (const item of this.items) {
      if (item.clip !== clip || item.about !== about) {
        if (about !== null) out.push("</g>");
        if (item.clip !== clip) {
          if (clip !== 0) out.push("</g>");
          if (item.clip !== 0) out.push(own(`<g clip-path="url(#clip${item.clip})">`));
        }
        if (item.about !== null) out.push(`<g class="message" data-line="${escaped(item.about)}">`);
        if (item.about !== null && tell !== undefined) out.push(`<title>${escaped(tell(item.about))}</title>`);
        ({ clip, about } = item);
      }
      const attributes = [...item.attributes].map(([name, value]) => ` ${name}="${escaped(value)}"`).join("");
      out.push(item.name === "text" ? `<text${attributes}>${escaped(item.text)}</text>` : `<path${attributes}/>`);
    }
    if (about !== null) out.push("</g>");
    if (clip !== 0) out.push("</g>");
    out.push("</svg>");
    return out.filter((one) => one !== "").join("\n");
  }
}

/** @param {Box | null} one @param {Box} other @returns {Box} */
function meet(one, other) {
  if (one === null) return other;
  const [left, top] = [Math.max(one[0], other[0]), Math.max(one[1], other[1])];
  return [left, top, Math.max(left, Math.min(one[2], other[2])), Math.max(top, Math.min(one[3], other[3]))];
}
