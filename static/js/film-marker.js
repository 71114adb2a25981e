// Where the film's side marker (a lead L or R) and other small bright things lie, so that no label
// covers them. Nothing is read: a patch counts that is bright, small and darker all around.

import { level } from "./film-pixels.js";

const LONGEST = 320; // pixels of the level that is looked at
const BRIGHT = 235; // grey, as the film is first shown
const DARKER = 60; // grey levels that its surroundings are darker by
const LEAST = 0.008; // share of the film's longer side
const MOST = 0.14;
const FILLED = 0.12; // share of its rectangle that is bright
const NUMBER = 16;

/** Rectangles [x, y, w, h] in film pixels, the largest first. */
export function markersOf(film, table) {
  let n = 0;
  while (Math.max(film.columns, film.rows) / 2 ** n > LONGEST) n += 1;
  const { values, width, height, step } = level(film, n);
  const grey = Uint8Array.from(values, (v) => table[v & 0xffff] & 0xff);
  const longer = Math.max(width, height);
  const found = patches(grey, width, height).filter(({ x0, y0, x1, y1, count }) => {
    const [w, h] = [x1 - x0 + 1, y1 - y0 + 1];
    if (Math.max(w, h) < LEAST * longer || Math.max(w, h) > MOST * longer || count < FILLED * w * h) return false;
    return BRIGHT - ring(grey, width, height, [x0, y0, x1, y1]) >= DARKER;
  });
  found.sort((a, b) => b.count - a.count);
  return found.slice(0, NUMBER).map(({ x0, y0, x1, y1 }) => [x0 * step, y0 * step, (x1 - x0 + 1) * step, (y1 - y0 + 1) * step]);
}

// connected bright patches (8 neighbours) with their rectangles
function patches(grey, width, height) {
  const seen = new Uint8Array(grey.length);
  const found = [];
  for (let start = 0; start < grey.length; start++) {
    if (seen[start] || grey[start] < BRIGHT) continue;
    const patch = { x0: width, y0: height, x1: 0, y1: 0, count: 0 };
    const todo = [start];
    seen[start] = 1;
    while (todo.length) {
      const at = todo.pop();
      const [x, y] = [at % width, Math.floor(at / width)];
      patch.count += 1;
      patch.x0 = Math.min(patch.x0, x);
      patch.x1 = Math.max(patch.x1, x);
      patch.y0 = Math.min(patch.y0, y);
      patch.y1 = Math.max(patch.y1, y);
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          const next = v * width + u;
          if (seen[next] || grey[next] < BRIGHT) continue;
          seen[next] = 1;
          todo.push(next);
        }
      }
    }
    found.push(patch);
  }
  return found;
}

// mean grey of the frame two pixels around a rectangle
function ring(grey, width, height, [x0, y0, x1, y1]) {
  let [sum, count] = [0, 0];
  for (let y = Math.max(0, y0 - 2); y <= Math.min(height - 1, y1 + 2); y++) {
    for (let x = Math.max(0, x0 - 2); x <= Math.min(width - 1, x1 + 2); x++) {
      if (x >= x0 && x <= x1 && y >= y0 && y <= y1) continue;
      sum += grey[y * width + x];
      count += 1;
    }
  }
  return count ? sum / count : BRIGHT;
}
