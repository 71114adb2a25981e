// The film on its canvas: where it lies (scale, offset), which window; wheel, drag and pinch.
// Pixel (i, j) covers [i, i+1) x [j, j+1) in image coordinates; the overlay uses the same mapping.

import { greyTable, level, paint, windowOf } from "./film-pixels.js";

const MAX_SCALE = 32;
const SMOOTH_BELOW = 3; // above, single pixels are shown as they are

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
    this.invert = false;
    this.window = null;
    this.mode = "pan"; // or "window"; "box" leaves single-pointer drags to the boxes
    this.fitted = true;
    this.scratch = document.createElement("canvas");
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
  toStage([x, y]) {
    return [this.x + x * this.scale, this.y + y * this.scale];
  }

  toFilm([x, y]) {
    return [(x - this.x) / this.scale, (y - this.y) / this.scale];
  }

  // --- moves
  fit() {
    const { width, height } = this.#box();
    this.scale = Math.min(width / this.size.columns, height / this.size.rows) || 1;
    this.x = (width - this.size.columns * this.scale) / 2;
    this.y = (height - this.size.rows * this.scale) / 2;
    this.fitted = true;
    this.#moved();
  }

  zoom(factor, at) {
    const { width, height } = this.#box();
    const [cx, cy] = at ?? [width / 2, height / 2];
    const least = Math.min(width / this.size.columns, height / this.size.rows) / 2;
    const scale = Math.min(MAX_SCALE, Math.max(least, this.scale * factor));
    this.x = cx - ((cx - this.x) * scale) / this.scale;
    this.y = cy - ((cy - this.y) * scale) / this.scale;
    this.scale = scale;
    this.fitted = false;
    this.#moved();
  }

  pan(dx, dy) {
    const { width, height } = this.#box();
    const keep = 40; // some of the film stays in sight
    const w = this.size.columns * this.scale;
    const h = this.size.rows * this.scale;
    this.x = Math.min(width - keep, Math.max(keep - w, this.x + dx));
    this.y = Math.min(height - keep, Math.max(keep - h, this.y + dy));
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
    const context = this.canvas.getContext("2d", { alpha: false });
    const { width, height } = this.canvas;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    if (!this.film) return;
    const box = this.#box();
    const ratioX = width / box.width;
    const ratioY = height / box.height;
    // the coarsest level that still has a value per screen pixel; one coarser while dragging
    const fine = Math.max(0, Math.floor(-Math.log2(this.scale * ratioX)));
    const source = level(this.film, Math.min(6, fine + (rough ? 1 : 0)));
    const [x0, y0] = this.toFilm([0, 0]);
    const [x1, y1] = this.toFilm([box.width, box.height]);
    const left = clamp(Math.floor(x0 / source.step) - 1, 0, source.width);
    const top = clamp(Math.floor(y0 / source.step) - 1, 0, source.height);
    const right = clamp(Math.ceil(x1 / source.step) + 1, 0, source.width);
    const bottom = clamp(Math.ceil(y1 / source.step) + 1, 0, source.height);
    if (right <= left || bottom <= top) return;
    this.scratch.width = right - left;
    this.scratch.height = bottom - top;
    const image = new ImageData(right - left, bottom - top);
    paint(image, source, this.lut, left, top);
    this.scratch.getContext("2d").putImageData(image, 0, 0);
    context.setTransform(this.scale * ratioX, 0, 0, this.scale * ratioY, this.x * ratioX, this.y * ratioY);
    context.beginPath(); // an odd last column of a coarse level reaches past the film
    context.rect(0, 0, this.size.columns, this.size.rows);
    context.save();
    context.clip();
    context.imageSmoothingEnabled = this.scale * ratioX < SMOOTH_BELOW;
    context.imageSmoothingQuality = "high";
    const s = source.step;
    context.drawImage(this.scratch, left * s, top * s, (right - left) * s, (bottom - top) * s);
    context.restore();
    this.dispatchEvent(new Event("painted"));
  }

  // --- pointers
  #listen() {
    const { stage } = this;
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
    stage.addEventListener("dblclick", () => this.mode !== "box" && this.fit());
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
    else if (this.mode !== "box" && this.pointers.size === 1) this.pan(dx, dy);
  }

  #pinch(moved, before) {
    const other = [...this.pointers.values()].find((pointer) => pointer !== moved);
    const length = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
    const middle = [(moved.at[0] + other.at[0]) / 2, (moved.at[1] + other.at[1]) / 2];
    this.zoom(length(moved.at, other.at) / length(before, other.at), middle);
    this.pan((moved.at[0] - before[0]) / 2, (moved.at[1] - before[1]) / 2);
  }
}

function clamp(v, low, high) {
  return Math.min(high, Math.max(low, v));
}
