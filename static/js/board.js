// Keys of the fleet's tiles: j and k go on and back, arrows move by place, Enter opens (a tile is a link).

import { isTyping } from "./house.js";

const tiles = () => [...document.querySelectorAll("[data-board] .tile")];

function go(tile) {
  tile?.focus({ preventScroll: true });
  tile?.scrollIntoView({ block: "nearest" });
}

/** The nearest tile of the next row up or down. */
function beyond(all, from, direction) {
  const at = from.getBoundingClientRect();
  const middle = at.left + at.width / 2;
  let best = null;
  for (const tile of all) {
    const box = tile.getBoundingClientRect();
    const down = (box.top - at.top) * direction;
    if (down < at.height / 2) continue;
    const aside = Math.max(0, box.left - middle, middle - box.right);
    if (!best || down < best.down - 4 || (down < best.down + 4 && aside < best.aside)) best = { tile, down, aside };
  }
  return best?.tile;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const all = tiles();
  const at = all.indexOf(document.activeElement);
  const step = { j: 1, k: -1, ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const rows = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!all.length || (!step && !rows)) return;
  if (at < 0 && event.key !== "j") return; // arrows scroll until a tile has the focus
  event.preventDefault();
  if (at < 0) go(all[0]);
  else if (step) go(all[Math.min(Math.max(at + step, 0), all.length - 1)]);
  else go(beyond(all, all[at], rows));
});
