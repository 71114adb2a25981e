// The tool row: window, presets, zoom, turns, magnifier, measuring, full screen; and what the film's
// corners say of it.

import { kindOf, ruler } from "./film-calibration.js";
import { Glass } from "./film-glass.js";
import { FilmMeasures } from "./film-measure.js";
import { toast } from "./house.js";

const LONGEST_RULER = 140; // CSS pixels

export class FilmTools {
  constructor(stage, view, layer) {
    this.stage = stage;
    this.view = view;
    this.layer = layer;
    this.glass = new Glass(stage, view);
    this.measures = new FilmMeasures(document.getElementById("film-measures"), view);
    this.slider = document.getElementById("score-slider");
    this.presets = document.getElementById("preset");
    document.addEventListener("click", (event) => {
      const tool = event.target.closest("[data-tool]");
      if (tool) this[tool.dataset.tool]?.();
    });
    document.addEventListener("fullscreenchange", () => press("fullScreen", Boolean(document.fullscreenElement)));
    for (const change of ["move", "window"]) view.addEventListener(change, () => this.#readout());
    this.#score();
  }

  /** The film is there: its windows can be chosen. */
  ready() {
    this.view.film.windows.forEach((window, i) => {
      this.presets.append(new Option(window.name || `C ${round(window.center)} W ${round(window.width)}`, String(i)));
    });
    this.presets.disabled = false;
    this.presets.addEventListener("change", () => {
      this.view.setWindow({ ...this.view.film.windows[Number(this.presets.value)] });
      this.stage.focus({ preventScroll: true }); // else the next keys choose presets
    });
  }

  #readout() {
    const { view } = this;
    const { turn, mirror } = view.lies;
    const lies = [turn ? `turned ${turn * 90}°` : "", mirror ? "mirrored" : ""].filter(Boolean).join(", ");
    document.getElementById("readout-zoom").textContent = `${Math.round(view.scale * 100)} %`;
    document.getElementById("readout-lies").textContent = lies || "shown as stored, sides are the picture's";
    document.getElementById("readout-lies").classList.toggle("is-changed", Boolean(lies));
    if (!view.film) return;
    const { center, width, lut, name } = view.window;
    const said = lut ? name : `C ${round(center)}  W ${round(width)}`;
    document.getElementById("readout-window").textContent = `${said}${view.invert ? "  inverted" : ""}`;
    this.#ruler();
    press("invert", view.invert);
  }

  #ruler() {
    const { film } = this.view;
    const { length, pixels, unit } = ruler(film, this.view, LONGEST_RULER);
    const said = unit === "mm" && length >= 10 ? `${length / 10} cm` : `${length} ${unit}`;
    document.getElementById("ruler-bar").style.width = `${pixels}px`;
    document.getElementById("ruler-text").textContent = `${said}, ${kindOf(film) || "no pixel size known"}`;
    document.getElementById("ruler").hidden = false;
  }

  // --- window
  windowMode() {
    this.#leaveMeasuring();
    this.view.mode = this.view.mode === "window" ? "pan" : "window";
    press("windowMode", this.view.mode === "window");
    this.stage.classList.toggle("is-windowing", this.view.mode === "window");
  }

  invert() {
    this.view.setInvert(!this.view.invert);
  }

  preset() {
    if (this.presets.options.length < 2) return;
    this.presets.selectedIndex = (this.presets.selectedIndex + 1) % this.presets.options.length;
    this.presets.dispatchEvent(new Event("change"));
  }

  reset() {
    this.view.reset();
    if (this.presets.options.length) this.presets.selectedIndex = 0;
  }

  // --- place
  fit() {
    this.view.fit();
  }

  zoomIn() {
    this.view.zoom(1.25);
  }

  zoomOut() {
    this.view.zoom(0.8);
  }

  turnRight() {
    this.view.turn(1);
  }

  turnLeft() {
    this.view.turn(-1);
  }

  mirror() {
    this.view.flip(false);
  }

  upsideDown() {
    this.view.flip(true);
  }

  magnify() {
    this.glass.toggle();
    press("magnify", this.glass.on);
  }

  async fullScreen() {
    try {
      if (document.fullscreenElement) await document.exitFullscreen();
      else await document.documentElement.requestFullscreen(); // dialogs and messages stay in sight
    } catch {
      toast("This browser doesn't let the film fill the screen.", "watch");
    }
  }

  // --- measuring
  length() {
    return this.#measure("length");
  }

  angle() {
    return this.#measure("angle");
  }

  rectangle() {
    return this.#measure("rectangle");
  }

  ellipse() {
    return this.#measure("ellipse");
  }

  clearMeasure() {
    if (!this.measures.remove()) toast("There is no measurement to take away.", "watch");
  }

  async #measure(tool) {
    if (!this.view.film) return toast("There is nothing to measure on the server's picture.", "watch");
    if (this.view.mode === "window") this.windowMode();
    const chosen = this.measures.tool === tool ? null : tool;
    try {
      await this.measures.use(chosen);
    } catch (error) {
      return toast(error.message, "act");
    }
    for (const name of ["length", "angle", "rectangle", "ellipse"]) press(name, name === chosen);
  }

  #leaveMeasuring() {
    if (this.measures.tool) this.#measure(this.measures.tool);
  }

  /** Before a box is drawn: drags belong to the box. */
  release() {
    this.#leaveMeasuring();
    if (this.view.mode === "window") this.windowMode();
  }

  /** Ends measuring, windowing and the magnifier; false where none was on. */
  rest() {
    const on = this.glass.on || this.view.mode === "window" || Boolean(this.measures.tool);
    this.release();
    if (this.glass.on) this.magnify();
    return on;
  }

  // --- boxes
  toggleBoxes() {
    this.layer.hidden = !this.layer.hidden;
    press("toggleBoxes", !this.layer.hidden);
    this.layer.draw();
    this.layer.dispatchEvent(new Event("shown"));
  }

  lowerScore() {
    this.#slide((slider) => slider.stepDown(5));
  }

  raiseScore() {
    this.#slide((slider) => slider.stepUp(5));
  }

  #slide(step) {
    if (!this.slider) return;
    step(this.slider);
    this.slider.dispatchEvent(new Event("input"));
  }

  #score() {
    this.slider?.addEventListener("input", () => {
      this.layer.minimum = Number(this.slider.value);
      document.getElementById("score-value").textContent = this.layer.minimum.toFixed(2);
      this.layer.draw();
      this.layer.dispatchEvent(new Event("shown"));
    });
    this.slider?.dispatchEvent(new Event("input"));
  }
}

function press(tool, on) {
  for (const button of document.querySelectorAll(`[data-tool="${tool}"]`)) button.setAttribute("aria-pressed", String(on));
}

function round(value) {
  return Math.abs(value) >= 100 ? Math.round(value) : Math.round(value * 10) / 10;
}
