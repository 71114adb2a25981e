// The film page: puts pixels, view, boxes, keys and the side panels together.

import { BoxEditor } from "./film-edit.js";
import { BoxLayer, boxesOf } from "./film-boxes.js";
import { Beside } from "./film-beside.js";
import { bindKeys } from "./film-keys.js";
import { markersOf } from "./film-marker.js";
import { loadFilm, preload } from "./film-pixels.js";
import { askReason } from "./film-reject.js";
import { conclude, sign } from "./film-report.js";
import { FilmTools } from "./film-tools.js";
import { FilmView } from "./film-view.js";
import { toast } from "./house.js";

const stage = document.getElementById("stage");

function start() {
  const { dataset } = stage;
  const size = { columns: Number(dataset.columns), rows: Number(dataset.rows) };
  const view = new FilmView(stage, document.getElementById("film-canvas"), size);
  const layer = new BoxLayer(document.getElementById("film-boxes"), view);
  const page = new FilmPage(view, layer, new BoxEditor(stage, view, layer));
  page.readList();
  page.load(dataset.pixels);
}

class FilmPage {
  constructor(view, layer, editor) {
    this.view = view;
    this.layer = layer;
    this.editor = editor;
    this.form = document.getElementById("box-form");
    layer.addEventListener("shown", () => this.#dimList());
    this.tools = new FilmTools(stage, view, layer);
    this.#list();
    this.#boxForm();
    this.prior = new Beside(view);
    bindKeys([this, this.tools, this.prior], () => editor.active);
  }

  async load(url) {
    const wait = document.getElementById("film-wait");
    try {
      this.view.show(await loadFilm(url));
      stage.dataset.state = "shown";
      wait.hidden = true;
      this.tools.ready();
      this.view.fit();
      this.view.addEventListener("painted", () => this.#afterwards(), { once: true });
    } catch (error) {
      this.#fallback(wait, error);
    }
  }

  // what can wait until the film has been seen
  #afterwards() {
    this.layer.markers = markersOf(this.view.film, this.view.lut);
    this.layer.draw();
    preload(stage.dataset.next);
  }

  // the pixels can't be had: the server's 8-bit picture, and a sentence that says what is missing
  #fallback(wait, error) {
    stage.dataset.state = "fallback";
    const picture = document.getElementById("film-picture");
    wait.hidden = true;
    const note = document.getElementById("film-fallback");
    note.querySelector("[data-why]").textContent = error.message;
    note.hidden = false;
    picture.src = stage.dataset.rendered;
    picture.width = this.view.size.columns;
    picture.hidden = false;
    const place = () => (picture.style.transform = `matrix(${this.view.matrix.join(",")})`);
    this.view.addEventListener("move", place);
    this.view.fit();
    place();
    picture.addEventListener("error", () => (picture.hidden = true), { once: true });
  }

  // --- findings list: the one source of the boxes
  get list() {
    return document.getElementById("findings");
  }

  #list() {
    stage.addEventListener("click", (event) => {
      if (this.editor.active) return;
      const { left, top } = stage.getBoundingClientRect();
      const key = this.layer.at([event.clientX - left, event.clientY - top]);
      if (key) this.select(key);
    });
    document.addEventListener("click", (event) => {
      const item = event.target.closest("#findings [data-key]");
      if (item) this.select(item.dataset.key);
      const act = event.target.closest("[data-act]");
      if (act) this[act.dataset.act]();
    });
    document.addEventListener("htmx:afterSwap", () => {
      this.readList();
      this.#conflicts();
    });
  }

  readList() {
    this.layer.set(boxesOf(this.list));
    const keys = this.layer.boxes.map((b) => b.key);
    if (!keys.includes(this.layer.selected)) this.layer.selected = null;
    this.#mark();
    this.#dimList();
  }

  #conflicts() {
    if (this.editor.active && this.list.dataset.locked === "yes") this.cancelBox();
  }

  #dimList() {
    const shown = new Set(this.layer.visible().map((b) => b.key));
    for (const box of this.layer.boxes) box.item.classList.toggle("is-below", !shown.has(box.key) && !this.layer.hidden);
  }

  #mark() {
    for (const { key, item } of this.layer.boxes) {
      const on = key === this.layer.selected;
      item.classList.toggle("is-current", on);
      if (on) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    }
  }

  select(key) {
    this.layer.selected = key;
    this.#mark();
    this.layer.draw();
    this.current?.item.scrollIntoView({ block: "nearest" });
    const said = this.current;
    if (said) document.getElementById("film-said").textContent = said.item.dataset.said;
  }

  get current() {
    return this.layer.boxes.find((b) => b.key === this.layer.selected) ?? null;
  }

  #step(by) {
    const { boxes } = this.layer;
    if (!boxes.length) return;
    const at = boxes.indexOf(this.current);
    this.select(boxes[at < 0 ? (by > 0 ? 0 : boxes.length - 1) : Math.min(boxes.length - 1, Math.max(0, at + by))].key);
  }

  next() {
    this.#step(1);
  }

  previous() {
    this.#step(-1);
  }

  selectNumber(number) {
    const box = this.layer.boxes[number - 1];
    if (box) this.select(box.key);
  }

  // --- verdicts
  get locked() {
    return this.list.dataset.locked === "yes";
  }

  #judged() {
    if (this.locked) return toast("This film can't be changed any more; the panel says why.", "watch"), null;
    if (!this.layer.boxes.some((box) => box.item.dataset.verdictUrl)) return toast("There is no finding of the model to judge here.", "watch"), null;
    if (!this.current) this.#step(1);
    const { current } = this;
    if (!current?.item.dataset.verdictUrl) return toast("Select a finding of the model first.", "watch"), null;
    return current;
  }

  accept() {
    const finding = this.#judged();
    if (finding) this.#send(finding.item.dataset.verdictUrl, { verdict: "accept" });
  }

  reject() {
    const finding = this.#judged();
    if (!finding) return;
    const { said, verdictUrl } = finding.item.dataset;
    askReason(said, (why) => this.#send(verdictUrl, { verdict: "reject", ...why }));
  }

  undo() {
    if (this.locked) return toast("This film can't be changed any more; the panel says why.", "watch");
    this.#send(this.list.dataset.undoUrl, {});
  }

  #send(url, values) {
    return window.htmx.ajax("POST", url, { source: this.list, target: "#findings", swap: "outerHTML", values });
  }

  // --- box editor
  #boxForm() {
    if (!this.form) return;
    const label = this.form.elements.namedItem("label");
    label.addEventListener("change", () => this.editor.setLabel(label.value));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.saveBox();
    });
    this.editor.addEventListener("change", () => {
      const box = this.layer.draft?.box;
      document.getElementById("box-numbers").textContent = box ? box.map(Math.round).join(" ") : "none yet";
      this.form.querySelector("[type=submit]").disabled = !box;
    });
  }

  edit() {
    const finding = this.#judged();
    if (!finding) return;
    this.#openForm({ title: `Change finding ${finding.number}`, url: finding.item.dataset.verdictUrl, verdict: "edit", finding });
  }

  drawBox() {
    if (this.locked) return toast("This film can't be changed any more; the panel says why.", "watch");
    this.#openForm({ title: "New finding", url: this.list.dataset.addUrl, verdict: "add" });
  }

  #openForm({ title, url, verdict, finding }) {
    this.tools.release();
    if (this.layer.hidden) this.tools.toggleBoxes();
    this.target = { url, verdict };
    this.form.hidden = false;
    document.getElementById("box-title").textContent = title;
    const label = this.form.elements.namedItem("label");
    label.value = finding?.label ?? label.options[0].value;
    this.editor.start({ key: finding?.key, label: label.value, box: finding?.box });
    this.form.scrollIntoView({ block: "nearest" });
    stage.focus({ preventScroll: true });
  }

  nudge(dx, dy, resize) {
    this.editor.nudge(dx, dy, resize);
  }

  async saveBox() {
    const { draft } = this.layer;
    if (!draft) return;
    if (!draft.box) return this.editor.placeInMiddle();
    const { url, verdict } = this.target;
    const [x, y, w, h] = draft.box;
    const values = { verdict, label: draft.label, x, y, w, h };
    this.cancelBox();
    await this.#send(url, values);
    if (verdict === "add" && this.layer.boxes.length) this.select(this.layer.boxes.at(-1).key);
  }

  cancelBox() {
    this.form.hidden = true;
    this.editor.stop();
  }

  // --- Escape: first what the pointer does, then the film beside
  stop() {
    if (!this.tools.rest()) this.prior.close();
  }

  // --- report
  conclude() {
    conclude();
  }

  sign() {
    sign("sign");
  }

  signNext() {
    sign("sign-next");
  }
}

// a film that can't be shown has no stage; it can be signed all the same
if (stage) start();
else bindKeys([{ conclude, sign: () => sign("sign"), signNext: () => sign("sign-next") }], () => false);
