// A film's stored values and the way from them to grey: DICOM's grey-scale chain (PS3.3 C.11.1,
// C.11.2.1.2), the same as the server's `imaging.grayscale`, so that both show the same picture.

/** Fetches a film. Throws an Error with a sentence for the reader when it can't be shown. */
export async function loadFilm(url, { signal } = {}) {
  const response = await fetch(url, { signal, headers: { Accept: "application/octet-stream, application/json" } });
  if (!response.ok) throw new Error(await messageOf(response));
  const film = filmOf(response.headers, await response.arrayBuffer());
  return film.tables ? withTables(film, url.replace(/pixels\/$/, "tables/"), signal) : film;
}

/** Has the browser fetch the next film while this one is read; it is asked about again when opened. */
export async function preload(url) {
  if (!url) return;
  try {
    await (await fetch(url, { priority: "low" })).arrayBuffer();
  } catch {
    // the next film will say itself what is wrong
  }
}

// a film with LUT sequences: rare, and too long for a header, so they are asked for apart
async function withTables(film, url, signal) {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(await messageOf(response));
  const { modality, voi: found, default: first } = await response.json();
  const presets = found.map((lut, i) => ({ lut, name: lut.name || `table ${i + 1}` }));
  const windows = first === "voi" ? [...presets, ...film.windows] : [...film.windows, ...presets];
  return { ...film, modality, windows };
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
    inverse: facts.inverse,
    tables: facts.tables,
    modality: null,
    spacing: facts.spacing,
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

// a table's entry; the first and the last go on to both sides (C.11.2.1.1)
function entry(x, { first, entries }) {
  return entries[Math.min(entries.length - 1, Math.max(0, Math.floor(x + 0.5) - first))];
}

/** A stored value in modality units: by the film's table, else by slope and intercept. */
export function modalityValue(film, value) {
  return film.modality ? entry(value, film.modality) : value * film.slope + film.intercept;
}

/** The window to start dragging from: a VOI table has none, so the one that spans its input. */
export function windowOf(window) {
  const { lut } = window;
  if (!lut) return window;
  const width = Math.max(1, lut.entries.length);
  return { center: lut.first + width / 2, width, function: "LINEAR_EXACT" };
}

/** Output, 0 to 1, of a window or a VOI table for a value in modality units. */
export function voi(x, { center, width, function: kind = "LINEAR", lut }) {
  if (lut) return entry(x, lut) / (2 ** lut.bits - 1);
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
  const flip = film.inverse !== invert;
  for (let stored = 0; stored < 65536; stored++) {
    const value = signed && stored > 32767 ? stored - 65536 : stored;
    const shown = 255 * voi(modalityValue(film, value), window);
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
