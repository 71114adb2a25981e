// A prior film beside the present one: own window, place linked as long as the reader wants.

import { BoxLayer, boxesOf } from "./film-boxes.js";
import { markersOf } from "./film-marker.js";
import { loadFilm } from "./film-pixels.js";
import { FilmView } from "./film-view.js";
import { toast } from "./house.js";

export class Beside {
  /** @param {FilmView} view of the present film. */
  constructor(view) {
    this.view = view;
    this.host = document.getElementById("beside");
    this.other = null;
    view.addEventListener("move", () => this.#link(view, this.other));
    document.addEventListener("click", (event) => {
      const opener = event.target.closest("[data-beside]");
      if (opener) this.open(opener.dataset.beside);
      if (event.target.closest("[data-beside-close]")) this.close();
    });
    this.host.addEventListener("change", (event) => {
      if (event.target.id === "beside-which") this.open(event.target.value);
      if (event.target.id === "beside-linked") this.#link(view, this.other);
    });
  }

  /** The newest prior that can be shown, or none. */
  beside() {
    if (this.other) return this.close();
    const first = document.querySelector("[data-beside]");
    if (!first) return toast("There is no prior film of this patient that can be shown.", "watch");
    this.open(first.dataset.beside);
  }

  async open(url) {
    await window.htmx.ajax("GET", url, { source: this.host, target: "#beside" });
    const stage = document.getElementById("beside-stage");
    if (!stage) return; // refused or unreachable: the page has said so
    this.host.hidden = false;
    document.getElementById("film-stages").classList.add("is-split");
    const size = { columns: Number(stage.dataset.columns), rows: Number(stage.dataset.rows) };
    const other = new FilmView(stage, document.getElementById("beside-canvas"), size);
    const layer = new BoxLayer(document.getElementById("beside-boxes"), other);
    layer.set(boxesOf(document.getElementById("beside-findings")));
    this.other = other;
    other.addEventListener("move", () => this.other === other && this.#link(other, this.view));
    const wait = document.getElementById("beside-wait");
    try {
      other.show(await loadFilm(stage.dataset.pixels));
      wait.hidden = true;
      layer.markers = markersOf(other.film, other.lut);
      layer.draw();
    } catch (error) {
      wait.textContent = `The prior film can't be shown: ${error.message}`;
    }
    this.#link(this.view, other);
  }

  close() {
    this.other = null;
    this.host.replaceChildren();
    this.host.hidden = true;
    document.getElementById("film-stages").classList.remove("is-split");
  }

  // both move each other: the one that moved leads
  #link(from, to) {
    if (!to || this.following || !document.getElementById("beside-linked")?.checked) return;
    this.following = true;
    to.follow(from.whereabouts);
    this.following = false;
  }
}
