// Boxes over the film: read from the findings list (data-* of its items), drawn as SVG with
// classes only, so that no inline style is needed. Label, dash pattern and colour differ by class.

import { around } from "./film-geometry.js";

const SVG = "http://www.w3.org/2000/svg";
const GAP = 4; // between box and label, CSS pixels
const HANDLE = 9;
const NAMES = { covid: "covid", pneumonia: "pneumonia", normal: "normal" };

/** The boxes that the list names, in its order. */
export function boxesOf(list) {
  return [...list.querySelectorAll("[data-box]")].map((item) => ({
    key: item.dataset.key,
    label: item.dataset.label,
    score: item.dataset.score === "" ? null : Number(item.dataset.score),
    verdict: item.dataset.verdict,
    number: item.dataset.number,
    box: item.dataset.box.split(" ").map(Number),
    item,
  }));
}

/** Tells `shown` when the slider or the key changed what is to be seen. */
export class BoxLayer extends EventTarget {
  constructor(svg, view) {
    super();
    this.svg = svg;
    this.view = view;
    this.boxes = [];
    this.selected = null;
    this.hidden = false;
    this.minimum = 0;
    this.draft = null; // {label, box} of the box editor
    this.markers = []; // what no label may cover, in film pixels
    view.addEventListener("move", () => this.draw());
  }

  set(boxes) {
    this.boxes = boxes;
    this.draw();
  }

  /** What is to be seen now: a drawn or edited box has no score to hide it by. */
  visible() {
    if (this.hidden) return [];
    return this.boxes.filter((b) => b.score === null || b.score >= this.minimum);
  }

  draw() {
    const { width, height } = this.svg.getBoundingClientRect();
    this.svg.setAttribute("viewBox", `0 0 ${Math.max(1, width)} ${Math.max(1, height)}`);
    const shown = this.visible().filter((b) => !(this.draft && b.key === this.draft.key));
    const groups = shown.map((box) => this.#group(box));
    if (this.draft?.box) groups.push(this.#group({ ...this.draft, verdict: "draft" }, true));
    // all labels over all lines: a later box's line never crosses an earlier one's words
    this.svg.replaceChildren(...groups.map((g) => g.node), ...groups.map((g) => g.caption));
    const markers = [...this.markers.map((marker) => this.#rect(marker)), ...this.#corners()];
    const labels = [];
    for (const group of groups) labels.push(place(group, { width, height }, markers, labels));
  }

  // what the stage writes in its corners
  #corners() {
    const stage = this.view.stage.getBoundingClientRect();
    return [...this.view.stage.querySelectorAll(".film-corner")].map((corner) => {
      const { left, top, width, height } = corner.getBoundingClientRect();
      return { left: left - stage.left, top: top - stage.top, width, height };
    });
  }

  #rect([x, y, w, h]) {
    return around(this.view.toStage([x, y]), this.view.toStage([x + w, y + h]));
  }

  #group(box, draft = false) {
    const how = `box-${box.label} is-${box.verdict || "open"}`;
    const [node, caption] = ["box", "box-caption"].map((part) => make("g", { class: `${part} ${how}` }));
    for (const part of [node, caption]) {
      part.dataset.key = box.key ?? "draft";
      part.classList.toggle("is-selected", box.key === this.selected && !draft);
    }
    const r = this.#rect(box.box);
    const frame = { x: r.left, y: r.top, width: r.width, height: r.height };
    node.append(make("rect", { class: "box-halo", ...frame }), make("rect", { class: "box-line", ...frame }));
    const text = make("text", { class: "box-text" });
    text.textContent = textOf(box);
    const back = make("rect", { class: "box-back" });
    caption.append(back, text);
    if (draft) for (const [x, y] of handlesOf(r)) node.append(handle(x, y));
    return { node, caption, r, text, back };
  }

  /** Key of the smallest visible box at a point of the stage; `null` where there is none. */
  at(point) {
    const [x, y] = this.view.toFilm(point);
    const hit = this.visible().filter(({ box: [l, t, w, h] }) => x >= l && x <= l + w && y >= t && y <= t + h);
    hit.sort((a, b) => a.box[2] * a.box[3] - b.box[2] * b.box[3]);
    return hit[0]?.key ?? null;
  }
}

// The label's place: outside the box, off markers and other labels where there is one; on the stage always.
function place({ r, text, back }, stage, markers, labels) {
  const size = text.getBBox();
  const label = { width: size.width + 8, height: size.height + 2 };
  const places = placesOf(r, label)
    .map(([left, top]) => ({ ...label, left, top }))
    .filter((p) => p.left >= 2 && p.top >= 2 && p.left + p.width <= stage.width - 2 && p.top + p.height <= stage.height - 2);
  const free = (others) => (p) => !others.some((other) => overlap(p, other));
  const at =
    places.find(free([...markers, ...labels])) ?? places.find(free(markers)) ?? places[0] ?? { ...label, ...inside(r, label, stage) };
  set(back, { x: at.left, y: at.top, width: at.width, height: at.height, rx: 2 });
  set(text, { x: at.left + 4, y: at.top + at.height - 5 });
  return at;
}

// above, below, left and right of the box, from the preferred on; at last inside, one under the other
function placesOf(r, { width, height }) {
  const [right, bottom] = [r.left + r.width, r.top + r.height];
  const above = r.top - height - GAP;
  return [
    [r.left, above],
    [right - width, above],
    [r.left, bottom + GAP],
    [right - width, bottom + GAP],
    [r.left - width - GAP, r.top],
    [right + GAP, r.top],
    ...[0, 1, 2, 3, 4, 5].map((line) => [r.left + GAP, r.top + GAP + line * (height + 2)]),
  ];
}

function inside(r, label, stage) {
  const within = (v, size, most) => Math.max(2, Math.min(v, most - size - 2));
  return { left: within(r.left, label.width, stage.width), top: within(r.top + GAP, label.height, stage.height) };
}

function overlap(a, b) {
  return a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height;
}

function textOf({ number, label, score, verdict }) {
  const parts = [number, NAMES[label] ?? label];
  if (score !== null && score !== undefined) parts.push(score.toFixed(2));
  const sign = { accept: "\u2713", reject: "\u2717", edit: "\u270e" }[verdict];
  if (sign) parts.push(sign);
  return parts.filter(Boolean).join(" ");
}

function handlesOf({ left, top, width, height }) {
  const xs = [left, left + width / 2, left + width];
  const ys = [top, top + height / 2, top + height];
  return xs.flatMap((x, i) => ys.map((y, j) => (i === 1 && j === 1 ? null : [x, y]))).filter(Boolean);
}

function handle(x, y) {
  return make("rect", { class: "box-handle", x: x - HANDLE / 2, y: y - HANDLE / 2, width: HANDLE, height: HANDLE });
}

function make(name, attributes) {
  const node = document.createElementNS(SVG, name);
  set(node, attributes);
  return node;
}

function set(node, attributes) {
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
}
