// The magnifier: a round glass at the pointer, with the film's own pixels enlarged and today's window.

import { closer, paintFilm } from "./film-paint.js";

const TIMES = 3;
const SIZE = 220; // CSS pixels

export class Glass {
  constructor(stage, view) {
    this.view = view;
    this.stage = stage;
    this.at = null;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "film-glass";
    this.canvas.hidden = true;
    stage.append(this.canvas);
    stage.addEventListener("pointermove", (event) => this.#follow(event));
    stage.addEventListener("pointerleave", () => this.#show(false));
    for (const change of ["move", "window"]) view.addEventListener(change, () => this.#paint());
  }

  get on() {
    return this.active ?? false;
  }

  toggle() {
    this.active = !this.on;
    this.#show(this.active && this.at !== null);
    this.#paint();
  }

  #show(on) {
    this.canvas.hidden = !on;
  }

  #follow(event) {
    const { left, top } = this.stage.getBoundingClientRect();
    this.at = [event.clientX - left, event.clientY - top];
    if (!this.on) return;
    this.#show(true);
    this.#paint();
  }

  #paint() {
    if (this.canvas.hidden || !this.view.film) return;
    const ratio = window.devicePixelRatio || 1;
    const size = Math.round(SIZE * ratio);
    if (this.canvas.width !== size) this.canvas.width = this.canvas.height = size;
    const [x, y] = this.at;
    this.canvas.style.translate = `${x - SIZE / 2}px ${y - SIZE / 2}px`;
    const { view } = this;
    const matrix = closer(view, view.toFilm(this.at), size, TIMES * ratio);
    paintFilm(this.canvas.getContext("2d", { alpha: false }), { film: view.film, table: view.lut, matrix });
  }
}
