// Boxes over the film: read from the findings list (data-* of its items), drawn as SVG with
// classes only, so that no inline style is needed. Label, dash pattern and colour differ by class.

const SVG = "http://www.w3.org/2000/svg";
const GAP = 4; // between box and label, CSS pixels
const HANDLE = 9;
const READERS = ["first", "second"]; // whose box, where a third reader compares two readings
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

export class BoxLayer {
  constructor(svg, view) {
    this.svg = svg;
    this.view = view;
    this.boxes = [];
    this.selected = null;
    this.hidden = false;
    this.minimum = 0;
    this.draft = null; // {label, box} of the box editor
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
    this.svg.replaceChildren(...groups.map((g) => g.node));
    for (const group of groups) this.#place(group, width, height);
  }

  #rect([x, y, w, h]) {
    const [left, top] = this.view.toStage([x, y]);
    return { left, top, width: w * this.view.scale, height: h * this.view.scale };
  }

  #group(box, draft = false) {
    const node = make("g", { class: `box box-${box.label} is-${box.verdict || "open"}` });
    node.dataset.key = box.key ?? "draft";
    if (box.key === this.selected && !draft) node.classList.add("is-selected");
    const r = this.#rect(box.box);
    const frame = { x: r.left, y: r.top, width: r.width, height: r.height };
    node.append(make("rect", { class: "box-halo", ...frame }), make("rect", { class: "box-line", ...frame }));
    const text = make("text", { class: "box-text" });
    text.textContent = textOf(box);
    const back = make("rect", { class: "box-back" });
    node.append(back, text);
    if (draft) for (const [x, y] of handlesOf(r)) node.append(handle(x, y));
    return { node, r, text, back, reader: READERS.indexOf(box.verdict) };
  }

  // above the box, else below it, else inside at its top; never outside the stage
  // a reader's box, which often is the model's own: at its foot, the second's above the first's
  #place({ r, text, back, reader }, width, height) {
    const size = text.getBBox();
    const w = size.width + 8;
    const h = size.height + 2;
    const left = Math.max(2, Math.min(r.left, width - w - 2));
    let top = r.top - h - GAP;
    if (reader >= 0) top = r.top + r.height - (reader + 1) * (h + GAP);
    else if (top < 2) top = r.top + r.height + GAP;
    if (top + h > height - 2) top = Math.max(2, Math.min(r.top + GAP, height - h - 2));
    set(back, { x: left, y: top, width: w, height: h, rx: 2 });
    set(text, { x: left + 4, y: top + h - 5 });
  }

  /** Key of the smallest visible box at a point of the stage; `null` where there is none. */
  at(point) {
    const [x, y] = this.view.toFilm(point);
    const hit = this.visible().filter(({ box: [l, t, w, h] }) => x >= l && x <= l + w && y >= t && y <= t + h);
    hit.sort((a, b) => a.box[2] * a.box[3] - b.box[2] * b.box[3]);
    return hit[0]?.key ?? null;
  }
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
