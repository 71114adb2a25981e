// How a film lies: mirrored, then turned by quarters. Matrices are a canvas's [a, b, c, d, e, f]:
// x' = a x + c y + e, y' = b x + d y + f. Film pixel (i, j) covers [i, i + 1) x [j, j + 1).

/** As the file has it. */
export const UPRIGHT = { turn: 0, mirror: false };

/** From film pixels to pixels of the mirrored and turned film; `turn` counts clockwise quarters. */
export function orientation({ columns, rows }, { turn, mirror }) {
  const quarters = [
    [1, 0, 0, 1, 0, 0],
    [0, 1, -1, 0, rows, 0],
    [-1, 0, 0, -1, columns, rows],
    [0, -1, 1, 0, 0, columns],
  ];
  const q = quarters[turn];
  return mirror ? [-q[0], -q[1], q[2], q[3], q[0] * columns + q[4], q[1] * columns + q[5]] : q;
}

/** Width and height of the turned film. */
export function extent({ columns, rows }, { turn }) {
  return turn % 2 ? { width: rows, height: columns } : { width: columns, height: rows };
}

export function turned({ turn, mirror }, quarters) {
  return { turn: (turn + quarters + 4) % 4, mirror };
}

/** Mirrored as the eye sees it, whatever the turn: `upright` exchanges top and bottom. */
export function flipped({ turn, mirror }, upright = false) {
  return { turn: (4 - turn + (upright ? 2 : 0)) % 4, mirror: !mirror };
}

export function apply([a, b, c, d, e, f], [x, y]) {
  return [a * x + c * y + e, b * x + d * y + f];
}

/** Back again; matrices here are never singular. */
export function unapply([a, b, c, d, e, f], [x, y]) {
  const scale = a * d - b * c;
  return [(d * (x - e) - c * (y - f)) / scale, (a * (y - f) - b * (x - e)) / scale];
}

/** The upright rectangle that holds both points. */
export function around([x0, y0], [x1, y1]) {
  return { left: Math.min(x0, x1), top: Math.min(y0, y1), width: Math.abs(x1 - x0), height: Math.abs(y1 - y0) };
}

export function clamp(v, low, high) {
  return Math.min(high, Math.max(low, v));
}
