// What happened to a machine, in lanes on the time axis of its charts: marks, bars, images per hour or day.
// They are drawn on a canvas (so that print and PNG have them), with links on top that say what they are.
import uPlot from "../vendor/uPlot.esm.js";
import { colour, GUTTER, TIMES } from "./chart.js";

const ROW = 12; // px of one bar
const PAD = 5;
const MOST_ROWS = 4;
const IMAGES = 34;
const TIME_AXIS = 50; // px of uPlot's own axis below
const NEAR = 16; // px that a mark takes, for fingers and for those beside it
const SHORT = { config: "config", alerts: "alerts", work: "work", images: "images", journal: "journal" };

/** Bars that overlap lie under each other; `row` of each, and how many rows there are. */
function stack(items) {
  const ends = [];
  for (const item of items) {
    const until = item.e ?? item.s;
    let row = ends.findIndex((end) => end < item.s);
    if (row < 0) row = ends.length < MOST_ROWS ? ends.length : MOST_ROWS - 1;
    ends[row] = Math.max(until, ends[row] ?? -Infinity);
    item.row = row;
  }
  return Math.max(ends.length, 1);
}

function layOut(data) {
  let top = 0;
  const lanes = data.lanes.map((lane) => {
    const height = lane.key === "images" ? IMAGES : stack(lane.items) * ROW + 2 * PAD;
    const made = { ...lane, top, height };
    top += height;
    return made;
  });
  return { lanes, height: top };
}

function diamond(ctx, x, y, size, filled) {
  ctx.beginPath();
  ctx.moveTo(x, y - size);
  ctx.lineTo(x + size, y);
  ctx.lineTo(x, y + size);
  ctx.lineTo(x - size, y);
  ctx.closePath();
  filled ? ctx.fill() : ctx.stroke();
}

// each kind differs in shape and not in colour alone
const PAINT = {
  act: { fill: "--act", edge: "--act" },
  watch: { fill: "--watch-soft", edge: "--watch" },
  order: { fill: "--accent-soft", edge: "--accent" },
  down: { fill: "--surface-3", edge: "--ink-2", hatch: true },
};

function drawBar(ctx, item, left, right, top, height, ratio) {
  const paint = PAINT[item.kind] ?? PAINT.order;
  ctx.fillStyle = colour(paint.fill);
  ctx.strokeStyle = colour(paint.edge);
  ctx.fillRect(left, top, right - left, height);
  if (paint.hatch) {
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, right - left, height);
    ctx.clip();
    ctx.beginPath();
    for (let x = left - height; x < right; x += 5 * ratio) {
      ctx.moveTo(x, top + height);
      ctx.lineTo(x + height, top);
    }
    ctx.stroke();
    ctx.restore();
  }
  ctx.beginPath(); // no right edge where it goes on
  ctx.moveTo(right, top);
  ctx.lineTo(left, top);
  ctx.lineTo(left, top + height);
  ctx.lineTo(right, top + height);
  if (!item.lasts) ctx.closePath();
  ctx.stroke();
}

function drawImages(plot, lane, data, ratio) {
  const { ctx, bbox } = plot;
  const most = Math.max(1, ...data.images.map(([, count]) => count));
  const bottom = plot.valToPos(lane.top + lane.height - 2, "y", true);
  ctx.fillStyle = colour("--ink-2");
  for (const [at, count] of data.images) {
    const left = Math.max(plot.valToPos(at, "x", true), bbox.left);
    const right = Math.min(plot.valToPos(at + data.step, "x", true), bbox.left + bbox.width);
    if (right <= left) continue;
    const height = Math.max((count / most) * (lane.height - 6) * ratio, ratio);
    ctx.fillRect(left, bottom - height, Math.max(right - left - ratio, ratio), height);
  }
}

function drawLane(plot, lane, data, ratio) {
  const { ctx, bbox } = plot;
  ctx.strokeStyle = colour("--line");
  ctx.beginPath();
  const edge = plot.valToPos(lane.top + lane.height, "y", true);
  ctx.moveTo(bbox.left, edge);
  ctx.lineTo(bbox.left + bbox.width, edge);
  ctx.stroke();
  if (lane.key === "images") drawImages(plot, lane, data, ratio);
  for (const item of lane.items) {
    const top = plot.valToPos(lane.top + PAD + item.row * ROW + 1, "y", true);
    const height = (ROW - 2) * ratio;
    const left = plot.valToPos(item.s, "x", true);
    if (item.e === null) {
      ctx.fillStyle = ctx.strokeStyle = colour(lane.key === "config" ? "--info" : "--ink-2");
      diamond(ctx, left, top + height / 2, height / 2, item.kind !== "due");
    } else drawBar(ctx, item, left, Math.max(plot.valToPos(item.e, "x", true), left + 2 * ratio), top, height, ratio);
  }
}

function draw(plot, layout, data) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.lineWidth = ratio;
  for (const lane of layout.lanes) drawLane(plot, lane, data, ratio);
  ctx.restore();
}

/** A link for each item, over its picture; they move with the axis. */
function makeLinks(plot, layout, say) {
  const made = [];
  for (const lane of layout.lanes) {
    for (const item of lane.items) {
      const link = document.createElement("a");
      link.className = "lane-item";
      link.href = item.url;
      link.title = item.text;
      link.setAttribute("aria-label", `${lane.label}: ${item.text}`);
      link.draggable = false;
      for (const name of ["pointerenter", "focus"]) link.addEventListener(name, () => say(item));
      plot.over.append(link);
      made.push({ link, item, lane });
    }
  }
  return made;
}

function placeLinks(plot, links) {
  const width = plot.over.clientWidth;
  for (const { link, item, lane } of links) {
    let left = plot.valToPos(item.s, "x");
    let right = item.e === null ? left : plot.valToPos(item.e, "x");
    link.hidden = right < 0 || left > width;
    if (link.hidden) continue;
    if (right - left < NEAR) [left, right] = [(left + right - NEAR) / 2, (left + right + NEAR) / 2];
    left = Math.max(left, 0);
    Object.assign(link.style, {
      left: `${left}px`,
      width: `${Math.max(Math.min(right, width) - left, 8)}px`,
      top: `${plot.valToPos(lane.top + PAD + item.row * ROW, "y")}px`,
      height: `${ROW}px`,
    });
  }
}

/** Draws the lanes into `place`; `clock` formats seconds in the hospital's zone. */
export function drawLanes(place, data, { start, end, zone, clock, readout, onScale }) {
  const layout = layOut(data);
  const ink = colour("--ink-2");
  const grid = { stroke: colour("--line"), width: 1 };
  const font = "11px system-ui, sans-serif";
  let links = [];
  const say = (item) => {
    const until = item.lasts ? " on" : item.e ? ` to ${clock.minute(item.e)}` : "";
    readout.textContent = `${clock.minute(item.s)}${until} · ${item.text}`;
  };
  const atCursor = (plot) => {
    const { left, top } = plot.cursor;
    if (left === undefined || left < 0 || place.contains(document.activeElement)) return;
    const lane = layout.lanes.find((one) => one.key === "images");
    const row = plot.posToVal(top, "y");
    if (row < lane.top || row > lane.top + lane.height) return;
    const time = plot.posToVal(left, "x");
    const found = data.images.find(([at]) => time >= at && time < at + data.step);
    const when = data.step < 86400 ? clock.minute : clock.day;
    const count = found?.[1] ?? 0;
    readout.textContent = `${when(found?.[0] ?? time)} · ${count} image${count === 1 ? "" : "s"}`;
  };
  const plot = new uPlot(
    {
      width: Math.max(place.clientWidth, 200),
      height: layout.height + TIME_AXIS,
      padding: [0, null, 0, null],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
      legend: { show: false },
      cursor: { sync: { key: "twin", scales: ["x", null] }, drag: { x: true, y: false }, y: false },
      scales: {
        x: { time: true, range: (_plot, low, high) => (low === null ? [start, end] : [low, high]) },
        y: { range: () => [0, layout.height], dir: -1 },
      },
      axes: [
        { stroke: ink, grid, ticks: grid, font, values: TIMES },
        {
          stroke: ink,
          font,
          size: GUTTER,
          grid: { show: false },
          ticks: { show: false },
          splits: () => layout.lanes.map((lane) => lane.top + lane.height / 2),
          values: () => layout.lanes.map((lane) => SHORT[lane.key] ?? lane.label),
        },
      ],
      series: [{}, { show: true, points: { show: false } }],
      hooks: {
        draw: [
          (self) => {
            draw(self, layout, data);
            placeLinks(self, links);
          },
        ],
        setScale: [(self, key) => key === "x" && onScale?.(self)],
        setCursor: [atCursor],
      },
    },
    [
      [start, end],
      [null, null],
    ],
    place,
  );
  links = makeLinks(plot, layout, say);
  plot.setScale("x", { min: start, max: end });
  plot.over.addEventListener("dblclick", () => queueMicrotask(() => plot.setScale("x", { min: start, max: end })));
  new ResizeObserver(() => {
    const width = Math.max(place.clientWidth, 200);
    if (width !== plot.width) plot.setSize({ width, height: layout.height + TIME_AXIS });
  }).observe(place);
  return plot;
}
