// From film pixels to millimetres and to values in the film's units. No unit is made up: without a
// pixel size lengths are in pixels, and each length in mm says in which plane it holds (PS3.3 10.7.1.3).

import { modalityValue } from "./film-pixels.js";

const KINDS = {
  geometry: "calibrated (geometry)",
  fiducial: "calibrated (fiducial)",
  detector: "at the detector",
  scanned: "on the scanned film",
  unspecified: "plane not stated",
};

/** What a length in mm of this film means; empty where there are none. */
export function kindOf({ spacing }) {
  return spacing ? (KINDS[spacing.kind] ?? KINDS.unspecified) : "";
}

/** Millimetres, or pixels where the film has no size of a pixel: [per column, per row, unit]. */
export function scaleOf({ spacing }) {
  return spacing ? [spacing.column, spacing.row, "mm"] : [1, 1, "px"];
}

/** Distance of two points in film pixels, with its unit. */
export function distance(film, [x0, y0], [x1, y1]) {
  const [column, row, unit] = scaleOf(film);
  return { value: Math.hypot((x1 - x0) * column, (y1 - y0) * row), unit };
}

/** Angle at `corner` in degrees, 0 to 180, in the patient's proportions. */
export function angle(film, a, corner, b) {
  const [column, row] = scaleOf(film);
  const arm = ([x, y]) => [(x - corner[0]) * column, (y - corner[1]) * row];
  const [u, v] = [arm(a), arm(b)];
  const cross = u[0] * v[1] - u[1] * v[0];
  const dot = u[0] * v[0] + u[1] * v[1];
  return (Math.abs(Math.atan2(cross, dot)) * 180) / Math.PI;
}

/**
 * Values of the pixels whose middle lies in a rectangle or its inscribed ellipse.
 * @returns {{n, mean, sd, min, max, area, unit}} in modality units; `sd` of the population; `area` in
 *   mm2 or px2; `n` is 0 and the rest `null` where no pixel's middle lies inside.
 */
export function statistics(film, [x, y, w, h], { ellipse = false } = {}) {
  const { values, width, height } = film.levels[0];
  const [column, row, unit] = scaleOf(film);
  const area = w * column * h * row * (ellipse ? Math.PI / 4 : 1);
  const [left, right] = [Math.max(0, Math.ceil(x - 0.5)), Math.min(width - 1, Math.ceil(x + w - 0.5) - 1)];
  const [top, bottom] = [Math.max(0, Math.ceil(y - 0.5)), Math.min(height - 1, Math.ceil(y + h - 0.5) - 1)];
  let [n, mean, squares, min, max] = [0, 0, 0, Infinity, -Infinity];
  for (let j = top; j <= bottom; j++) {
    const v = (j + 0.5 - y - h / 2) / (h / 2);
    for (let i = left; i <= right; i++) {
      if (ellipse && ((i + 0.5 - x - w / 2) / (w / 2)) ** 2 + v * v > 1) continue;
      const stored = values[j * width + i];
      if (film.padding && stored >= film.padding[0] && stored <= film.padding[1]) continue;
      const value = modalityValue(film, stored);
      n += 1; // Welford: no large sums of squares
      const step = value - mean;
      mean += step / n;
      squares += step * (value - mean);
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
  }
  if (!n) return { n, mean: null, sd: null, min: null, max: null, area, unit: `${unit}²` };
  return { n, mean, sd: Math.sqrt(squares / n), min, max, area, unit: `${unit}²` };
}

/** A number for the screen: three digits that count. */
export function short(value) {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}

/** The longest round length, in mm or px, that takes at most `most` CSS pixels: {length, pixels, unit}. */
export function ruler(film, { scale, lies }, most) {
  const [column, row, unit] = scaleOf(film);
  const each = scale / (lies.turn % 2 ? row : column); // CSS pixels per mm
  const power = 10 ** Math.floor(Math.log10(most / each));
  const length = [5, 2, 1].map((n) => n * power).find((l) => l * each <= most) ?? power;
  return { length, pixels: length * each, unit };
}
