// Drawing a new box and changing one: with the pointer (edges, corners, whole box) or the keys.

const REACH = 10; // CSS pixels around an edge that take hold of it
const LEAST = 4; // film pixels

export class BoxEditor extends EventTarget {
  constructor(stage, view, layer) {
    super();
    this.view = view;
    this.layer = layer;
    this.stage = stage;
    this.grip = null;
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    stage.addEventListener("pointerup", () => this.#up());
  }

  get active() {
    return this.layer.draft !== null;
  }

  /** Starts with a box to change, or with none to draw one. */
  start({ key = null, label, box = null }) {
    this.layer.draft = { key, label, box: box && [...box], number: "", score: null };
    this.view.mode = "box";
    this.stage.classList.add("is-drawing");
    this.#changed();
  }

  stop() {
    this.layer.draft = null;
    this.view.mode = "pan";
    this.stage.classList.remove("is-drawing");
    this.grip = null;
    this.#changed();
  }

  setLabel(label) {
    this.layer.draft.label = label;
    this.#changed();
  }

  /** A box in the middle of what is in sight, for those who draw with the keyboard. */
  placeInMiddle() {
    const { width, height } = this.stage.getBoundingClientRect();
    const [x0, y0] = this.view.toFilm([width * 0.35, height * 0.35]);
    const [x1, y1] = this.view.toFilm([width * 0.65, height * 0.65]);
    this.#keep(x0, y0, x1, y1);
  }

  /** Arrow keys: move by a step on the screen, in film pixels, or make larger and smaller. */
  nudge(right, down, resize) {
    const box = this.layer.draft?.box;
    if (!box) return;
    const [x, y, w, h] = box;
    const [dx, dy] = this.view.alongFilm([right, down]);
    if (resize) this.#keep(x, y, x + Math.max(LEAST, w + dx), y + Math.max(LEAST, h + dy));
    else this.#shift([x, y, w, h], dx, dy);
  }

  #at(event) {
    const { left, top } = this.stage.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  #down(event) {
    if (!this.active || event.button !== 0) return;
    const start = this.view.toFilm(this.#at(event));
    const box = this.layer.draft.box;
    const sides = box ? this.#sides(box, start) : null;
    this.grip = { start, sides, box: sides && [...box] }; // outside: begin anew
  }

  // which edges are held: {l, t, r, b}; all false inside (moves); null outside
  #sides([x, y, w, h], [px, py]) {
    const reach = REACH / this.view.scale;
    const near = (v, edge) => Math.abs(v - edge) <= reach;
    if (px < x - reach || px > x + w + reach || py < y - reach || py > y + h + reach) return null;
    return { l: near(px, x), r: near(px, x + w), t: near(py, y), b: near(py, y + h) };
  }

  #move(event) {
    if (!this.grip || this.view.pointers.size > 1) return;
    const [fx, fy] = this.view.toFilm(this.#at(event));
    const { start, sides, box } = this.grip;
    if (!box) return this.#keep(start[0], start[1], fx, fy);
    const [dx, dy] = [fx - start[0], fy - start[1]];
    if (!Object.values(sides).some(Boolean)) return this.#shift(box, dx, dy);
    const [x, y, w, h] = box;
    this.#keep(
      sides.l ? x + dx : x,
      sides.t ? y + dy : y,
      sides.r && !sides.l ? x + w + dx : x + w,
      sides.b && !sides.t ? y + h + dy : y + h,
    );
  }

  #up() {
    this.grip = null;
  }

  #shift([x, y, w, h], dx, dy) {
    const { columns, rows } = this.view.size;
    const left = Math.min(columns - w, Math.max(0, x + dx));
    const top = Math.min(rows - h, Math.max(0, y + dy));
    this.#keep(left, top, left + w, top + h);
  }

  // two corners in any order -> a box of whole pixels inside the film
  #keep(x0, y0, x1, y1) {
    const { columns, rows } = this.view.size;
    const inside = (v, high) => Math.min(high, Math.max(0, Math.round(v)));
    const [l, r] = [inside(Math.min(x0, x1), columns), inside(Math.max(x0, x1), columns)];
    const [t, b] = [inside(Math.min(y0, y1), rows), inside(Math.max(y0, y1), rows)];
    const [w, h] = [Math.max(LEAST, r - l), Math.max(LEAST, b - t)];
    this.layer.draft.box = [Math.min(l, columns - w), Math.min(t, rows - h), w, h];
    this.#changed();
  }

  #changed() {
    this.layer.draw();
    this.dispatchEvent(new Event("change"));
  }
}
