// A film's stored values and the way from them to grey: DICOM's grey-scale chain (PS3.3 C.11.1,
// C.11.2.1.2), the same as the server's `imaging.grayscale`, so that both show the same picture.

/** Fetches a film. Throws an Error with a sentence for the reader when it can't be shown. */
export async function loadFilm(url, { signal } = {}) {
  const response = await fetch(url, { signal, headers: { Accept: "application/octet-stream, application/json" } });
  if (!response.ok) throw new Error(await messageOf(response));
  return filmOf(response.headers, await response.arrayBuffer());
}

async function messageOf(response) {
  try {
    return (await response.json()).message;
  } catch {
    return `The server answered ${response.status}.`;
  }
}

/** Reads headers and bytes of an answer of `/api/v1/images/<id>/pixels/`. */
export function filmOf(headers, buffer) {
  const facts = JSON.parse(headers.get("X-Film"));
  const { rows, columns } = facts;
  if (buffer.byteLength !== rows * columns * 2) throw new Error("The film arrived incomplete. Reload the page.");
  const values = facts.signed ? new Int16Array(buffer) : new Uint16Array(buffer);
  return {
    rows,
    columns,
    photometric: facts.photometric,
    slope: facts.slope,
    intercept: facts.intercept,
    padding: facts.padding ?? null,
    windows: facts.windows,
    levels: [{ values, width: columns, height: rows, step: 1 }],
  };
}

/** Level `n` of the pyramid: each halves the one before by averaging 2 x 2 stored values. */
export function level(film, n) {
  while (film.levels.length <= n) film.levels.push(halve(film.levels.at(-1)));
  return film.levels[n];
}

function halve({ values, width, height, step }) {
  const w = Math.ceil(width / 2);
  const h = Math.ceil(height / 2);
  const out = new values.constructor(w * h);
  for (let y = 0, o = 0; y < h; y++) {
    const top = 2 * y * width;
    const bottom = Math.min(2 * y + 1, height - 1) * width;
    for (let x = 0; x < w; x++, o++) {
      const left = 2 * x;
      const right = Math.min(left + 1, width - 1);
      out[o] = (values[top + left] + values[top + right] + values[bottom + left] + values[bottom + right] + 2) >> 2;
    }
  }
  return { values: out, width: w, height: h, step: step * 2 };
}

/** A VOI function's output, 0 to 1, for a value in modality units. */
export function voi(x, { center, width, function: kind = "LINEAR" }) {
  if (kind === "SIGMOID") return 1 / (1 + Math.exp((-4 * (x - center)) / width));
  if (kind === "LINEAR_EXACT") return clamp01((x - center) / width + 0.5);
  // LINEAR: half a step less on either side (C.11.2.1.2.1); width 1 is a threshold
  if (width <= 1) return x > center - 0.5 ? 1 : 0;
  return clamp01((x - (center - 0.5)) / (width - 1) + 0.5);
}

function clamp01(v) {
  return v < 0 ? 0 : v > 1 ? 1 : v;
}

/** Table from stored value (as unsigned 16 bit) to RGBA in the machine's byte order. */
export function greyTable(film, window, invert) {
  const table = new Uint32Array(65536);
  const signed = film.levels[0].values instanceof Int16Array;
  const flip = (film.photometric === "MONOCHROME1") !== invert;
  for (let stored = 0; stored < 65536; stored++) {
    const value = signed && stored > 32767 ? stored - 65536 : stored;
    const shown = 255 * voi(value * film.slope + film.intercept, window);
    let grey = Math.floor((flip ? 255 - shown : shown) + 0.5);
    if (film.padding && value >= film.padding[0] && value <= film.padding[1]) grey = 0;
    table[stored] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
  return table;
}

/** Paints a rectangle of a level into `image` (an ImageData of just that size). */
export function paint(image, { values, width }, table, left, top) {
  const out = new Uint32Array(image.data.buffer);
  for (let y = 0, o = 0; y < image.height; y++) {
    let i = (top + y) * width + left;
    for (let x = 0; x < image.width; x++) out[o++] = table[values[i++] & 0xffff];
  }
}
