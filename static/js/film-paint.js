// Paints a film through its grey table onto a canvas, as much of it as is seen, from the coarsest
// level of its pyramid that still has a value for each screen pixel.

import { apply, clamp, unapply } from "./film-geometry.js";
import { level, paint } from "./film-pixels.js";

const COARSEST = 6;
const SMOOTH_BELOW = 3; // screen pixels per film pixel; above, single pixels are shown as they are
const scratch = document.createElement("canvas");

/**
 * @param {CanvasRenderingContext2D} context of a canvas in device pixels.
 * @param {{film: object, table: Uint32Array, matrix: number[], rough?: boolean}} what film and grey
 *   table; `matrix` from film pixels to device pixels; `rough` takes a coarser level, for a drag.
 */
export function paintFilm(context, { film, table, matrix, rough = false }) {
  const { width, height } = context.canvas;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = "#000";
  context.fillRect(0, 0, width, height);
  const scale = Math.hypot(matrix[0], matrix[1]);
  const fine = Math.max(0, Math.floor(-Math.log2(scale)));
  const source = level(film, Math.min(COARSEST, fine + (rough ? 1 : 0)));
  const seen = seenOf(source, matrix, width, height);
  if (!seen) return;
  const { left, top, right, bottom } = seen;
  scratch.width = right - left;
  scratch.height = bottom - top;
  const image = new ImageData(right - left, bottom - top);
  paint(image, source, table, left, top);
  scratch.getContext("2d").putImageData(image, 0, 0);
  context.save();
  context.setTransform(...matrix);
  context.beginPath(); // an odd last column of a coarse level reaches past the film
  context.rect(0, 0, film.columns, film.rows);
  context.clip();
  context.imageSmoothingEnabled = scale < SMOOTH_BELOW;
  context.imageSmoothingQuality = "high";
  const s = source.step;
  context.drawImage(scratch, left * s, top * s, (right - left) * s, (bottom - top) * s);
  context.restore();
}

// the rectangle of a level that the canvas shows, a pixel more on each side; null if none of it
function seenOf({ width, height, step }, matrix, canvasWidth, canvasHeight) {
  const [x0, y0] = unapply(matrix, [0, 0]);
  const [x1, y1] = unapply(matrix, [canvasWidth, canvasHeight]);
  const left = clamp(Math.floor(Math.min(x0, x1) / step) - 1, 0, width);
  const top = clamp(Math.floor(Math.min(y0, y1) / step) - 1, 0, height);
  const right = clamp(Math.ceil(Math.max(x0, x1) / step) + 1, 0, width);
  const bottom = clamp(Math.ceil(Math.max(y0, y1) / step) + 1, 0, height);
  return right > left && bottom > top ? { left, top, right, bottom } : null;
}

/** A matrix that shows `center` (film pixels) in the middle of a canvas, `times` larger than `view`. */
export function closer(view, center, size, times) {
  const [a, b, c, d] = view.matrix.map((v) => v * times);
  const [x, y] = apply([a, b, c, d, 0, 0], center);
  return [a, b, c, d, size / 2 - x, size / 2 - y];
}
