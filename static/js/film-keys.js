// One table of the film page's keys; what they do is given by film.js.

import { isTyping, leaveFullScreen } from "./house.js";

const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

const PLAIN = {
  j: "next", ArrowDown: "next", k: "previous", ArrowUp: "previous",
  a: "accept", x: "reject", e: "edit", d: "drawBox", u: "undo",
  A: "toggleBoxes", "[": "lowerScore", "]": "raiseScore",
  w: "windowMode", W: "windowMode", i: "invert", I: "invert", r: "reset", R: "reset", p: "preset",
  f: "fit", F: "fullScreen", z: "zoomIn", Z: "zoomOut", "+": "zoomIn", "-": "zoomOut",
  t: "turnRight", T: "turnLeft", y: "mirror", Y: "upsideDown", q: "magnify",
  l: "length", g: "angle", o: "rectangle", O: "ellipse", Delete: "clearMeasure", Backspace: "clearMeasure",
  v: "beside", V: "beside",
  c: "conclude", s: "sign", S: "sign", n: "signNext", N: "signNext",
};

// these show something beside the film
const BESIDE = new Set(["edit", "drawBox", "conclude", "sign", "signNext"]);

/** Listens for keys and calls what the first of `actors` has by that name; `editing()`: is a box being drawn? */
export function bindKeys(actors, editing) {
  const actions = (name) => actors.find((actor) => actor[name]);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]")) return;
    const { target, key } = event;
    if (key === "Escape") {
      if (editing()) run(event, () => actions("cancelBox").cancelBox());
      else if (!leaveField(target)) actions("stop")?.stop();
      return;
    }
    if (isTyping(target)) return;
    const arrow = ARROWS[key];
    // arrows belong to radio buttons and sliders that have the focus
    if (arrow && target.matches?.("input")) return;
    if (editing()) {
      const step = 4;
      if (arrow) run(event, () => actions("nudge").nudge(arrow[0] * step, arrow[1] * step, event.shiftKey));
      else if (key === "Enter" && !target.closest("button")) run(event, () => actions("saveBox").saveBox());
      return;
    }
    const name = /^[1-9]$/.test(key) ? "selectNumber" : PLAIN[key];
    const actor = actions(name);
    if (!actor) return;
    if (BESIDE.has(name)) leaveFullScreen();
    run(event, () => actor[name](Number(key)));
  });
}

// out of a field of the page: keys belong to the film again, and what stands open around the field closes
function leaveField(target) {
  const open = target.closest?.(".film-page details[open]");
  if (!open && !(isTyping(target) && target.closest(".film-page"))) return false;
  if (open) open.open = false;
  const stage = document.getElementById("stage");
  if (stage) stage.focus({ preventScroll: true });
  else target.blur();
  return true;
}

function run(event, action) {
  event.preventDefault();
  action();
}
