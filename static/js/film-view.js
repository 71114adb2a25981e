// The film on its canvas: where it lies (scale, offset, turn), which window; wheel, drag and pinch.
// The overlays use the same matrix, so that boxes and measurements lie on their pixels.

import { apply, clamp, extent, flipped, orientation, turned, unapply, UPRIGHT } from "./film-geometry.js";
import { paintFilm } from "./film-paint.js";
import { greyTable, windowOf } from "./film-pixels.js";

const MAX_SCALE = 32;
const KEPT = 40; // CSS pixels of the film that stay in sight

export class FilmView extends EventTarget {
  /** @param {HTMLElement} stage holds the canvas; `size` is the film's {columns, rows}. */
  constructor(stage, canvas, size) {
    super();
    this.stage = stage;
    this.canvas = canvas;
    this.size = size;
    this.film = null;
    this.scale = 1; // CSS pixels per film pixel
    this.x = 0; // where film pixel 0 begins, in CSS pixels of the stage
    this.y = 0;
    this.lies = UPRIGHT;
    this.invert = false;
    this.window = null;
    this.mode = "pan"; // or "window"; "box" and "measure" leave single-pointer drags to others
    this.fitted = true;
    this.pointers = new Map();
    new ResizeObserver(() => this.#resized()).observe(stage);
    this.#listen();
    this.#resized();
  }

  show(film) {
    this.film = film;
    this.window = { ...film.windows[0] };
    this.#table();
  }

  // --- mapping
  /** From film pixels to CSS pixels of the stage. */
  get matrix() {
    const [a, b, c, d, e, f] = orientation(this.size, this.lies).map((v) => v * this.scale);
    return [a, b, c, d, e + this.x, f + this.y];
  }

  toStage(point) {
    return apply(this.matrix, point);
  }

  toFilm(point) {
    return unapply(this.matrix, point);
  }

  /** A step on the screen, in the film's own directions. */
  alongFilm([dx, dy]) {
    const [a, b, c, d] = orientation(this.size, this.lies);
    return [a * dx + b * dy, c * dx + d * dy];
  }

  // --- moves
  get fitScale() {
    const { width, height } = this.#box();
    const film = extent(this.size, this.lies);
    return Math.min(width / film.width, height / film.height) || 1;
  }

  fit() {
    this.scale = this.fitScale;
    this.centerOn([this.size.columns / 2, this.size.rows / 2]);
    this.fitted = true;
    this.#moved();
  }

  /** Puts a point of the film into the middle of the stage; draws nothing yet. */
  centerOn(point) {
    const { width, height } = this.#box();
    const [x, y] = this.toStage(point);
    this.x += width / 2 - x;
    this.y += height / 2 - y;
  }

  /** The film's point in the middle of the stage. */
  get center() {
    const { width, height } = this.#box();
    return this.toFilm([width / 2, height / 2]);
  }

  /** Goes where another view is: its scale as a share of fitting, its middle as shares of the film. */
  follow({ share, middle, lies, fitted }) {
    this.lies = lies;
    if (fitted) return this.fit();
    this.scale = this.fitScale * share;
    this.centerOn([middle[0] * this.size.columns, middle[1] * this.size.rows]);
    this.fitted = false;
    this.#moved();
  }

  /** What `follow` of another view takes. */
  get whereabouts() {
    const [x, y] = this.center;
    return { share: this.scale / this.fitScale, middle: [x / this.size.columns, y / this.size.rows], lies: this.lies, fitted: this.fitted };
  }

  turn(quarters) {
    this.#lie(turned(this.lies, quarters));
  }

  flip(upright) {
    this.#lie(flipped(this.lies, upright));
  }

  #lie(lies) {
    const { center } = this;
    this.lies = lies;
    if (this.fitted) return this.fit();
    this.centerOn(center);
    this.#moved();
  }

  zoom(factor, at) {
    const { width, height } = this.#box();
    const [cx, cy] = at ?? [width / 2, height / 2];
    const scale = clamp(this.scale * factor, this.fitScale / 2, MAX_SCALE);
    this.x = cx - ((cx - this.x) * scale) / this.scale;
    this.y = cy - ((cy - this.y) * scale) / this.scale;
    this.scale = scale;
    this.fitted = false;
    this.#moved();
  }

  pan(dx, dy) {
    const { width, height } = this.#box();
    const film = extent(this.size, this.lies);
    this.x = clamp(this.x + dx, KEPT - film.width * this.scale, width - KEPT);
    this.y = clamp(this.y + dy, KEPT - film.height * this.scale, height - KEPT);
    this.fitted = false;
    this.#moved();
  }

  setWindow(window, { rough = false } = {}) {
    this.window = window;
    this.#table(rough);
  }

  nudgeWindow(dx, dy) {
    if (!this.film) return;
    const first = windowOf(this.film.windows[0]);
    const now = windowOf(this.window);
    const step = Math.max(first.width, 1) / 400;
    const width = Math.max(1, now.width + dx * step);
    this.setWindow({ ...now, name: "", center: now.center + dy * step, width }, { rough: true });
    this.#settleSoon();
  }

  setInvert(on) {
    this.invert = on;
    this.#table();
  }

  reset() {
    this.invert = false;
    this.lies = UPRIGHT;
    if (this.film) this.setWindow({ ...this.film.windows[0] });
    this.fit();
  }

  // --- drawing
  #table(rough = false) {
    if (this.film) this.lut = greyTable(this.film, this.window, this.invert);
    this.draw(rough);
    this.dispatchEvent(new Event("window"));
  }

  #moved() {
    this.draw();
    this.dispatchEvent(new Event("move"));
  }

  #settleSoon() {
    clearTimeout(this.settle);
    this.settle = setTimeout(() => this.draw(), 120);
  }

  #box() {
    return this.stage.getBoundingClientRect();
  }

  #resized() {
    const { width, height } = this.#box();
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
    if (this.fitted) this.fit();
    else this.#moved();
  }

  /** Draws soon; `rough` uses a coarser copy, for the time of a drag. */
  draw(rough = false) {
    this.rough = rough;
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.#paint(this.rough);
    });
  }

  #paint(rough) {
    if (!this.film) return;
    const context = this.canvas.getContext("2d", { alpha: false });
    const ratio = this.canvas.width / (this.#box().width || 1);
    paintFilm(context, { film: this.film, table: this.lut, matrix: this.matrix.map((v) => v * ratio), rough });
    this.dispatchEvent(new Event("painted"));
  }

  // --- pointers
  #listen() {
    const { stage } = this;
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
    stage.addEventListener("dblclick", () => this.mode === "pan" && this.fit());
    stage.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), this.#at(event));
      },
      { passive: false },
    );
    stage.addEventListener("pointerdown", (event) => {
      if (event.target.closest("button, a, input, select")) return;
      if (this.mode === "measure" && event.button === 0) return; // not captured: Cornerstone's own
      stage.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, { at: this.#at(event), button: event.button });
    });
    stage.addEventListener("pointermove", (event) => this.#drag(event));
    for (const end of ["pointerup", "pointercancel"]) {
      stage.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
    }
  }

  #at(event) {
    const { left, top } = this.#box();
    return [event.clientX - left, event.clientY - top];
  }

  #drag(event) {
    const pointer = this.pointers.get(event.pointerId);
    if (!pointer) return;
    const before = pointer.at;
    pointer.at = this.#at(event);
    const [dx, dy] = [pointer.at[0] - before[0], pointer.at[1] - before[1]];
    if (this.pointers.size === 2) this.#pinch(pointer, before);
    else if (pointer.button === 2 || (this.mode === "window" && pointer.button === 0)) this.nudgeWindow(dx, dy);
    else if ((this.mode === "pan" || pointer.button === 1) && this.pointers.size === 1) this.pan(dx, dy);
  }

  #pinch(moved, before) {
    const other = [...this.pointers.values()].find((pointer) => pointer !== moved);
    const length = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
    const middle = [(moved.at[0] + other.at[0]) / 2, (moved.at[1] + other.at[1]) / 2];
    this.zoom(length(moved.at, other.at) / length(before, other.at), middle);
    this.pan((moved.at[0] - before[0]) / 2, (moved.at[1] - before[1]) / 2);
  }
}
