// One table of the film page's keys; what they do is given by film.js.

import { isTyping } from "./house.js";

const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

/** Listens for keys and calls `actions[name]`; `editing()` says whether a box is being drawn. */
export function bindKeys(actions, editing) {
  const plain = {
    j: "next", ArrowDown: "next", k: "previous", ArrowUp: "previous",
    a: "accept", x: "reject", e: "edit", d: "drawBox", u: "undo",
    A: "toggleBoxes", "[": "lowerScore", "]": "raiseScore",
    w: "windowMode", W: "windowMode", i: "invert", I: "invert", r: "reset", R: "reset",
    f: "fit", F: "fit", z: "zoomIn", Z: "zoomOut", "+": "zoomIn", "-": "zoomOut", p: "preset",
    c: "conclude", s: "sign", S: "sign", n: "signNext", N: "signNext",
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]")) return;
    const { target, key } = event;
    if (editing() && key === "Escape") return run(event, () => actions.cancelBox());
    if (isTyping(target)) return;
    const arrow = ARROWS[key];
    // arrows belong to radio buttons and sliders that have the focus
    if (arrow && target.matches?.("input")) return;
    if (editing()) {
      const step = 4;
      if (arrow) run(event, () => actions.nudge(arrow[0] * step, arrow[1] * step, event.shiftKey));
      else if (key === "Enter" && !target.closest("button")) run(event, () => actions.saveBox());
      return;
    }
    if (/^[1-9]$/.test(key) && actions.selectNumber) return run(event, () => actions.selectNumber(Number(key)));
    const name = plain[key];
    if (actions[name]) run(event, () => actions[name]());
  });
}

function run(event, action) {
  event.preventDefault();
  action();
}
