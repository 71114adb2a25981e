// A thin layer over uPlot: one quantity on a shared time axis, limits, marks, gaps as gaps.
import uPlot from "../vendor/uPlot.esm.js";

const HEIGHT = 140;
/** Room for the values left of every plot, so that all time axes lie under each other. */
export const GUTTER = 56;

export function colour(name) {
  return getComputedStyle(document.body).getPropertyValue(name).trim() || "#456";
}

function line(plot, { x, y, stroke, dash }) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = stroke;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash(dash.map((length) => length * devicePixelRatio));
  ctx.beginPath();
  if (x === undefined) {
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
  } else {
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
  }
  ctx.stroke();
  ctx.restore();
}

function drawLimits(plot, limits) {
  for (const limit of limits) {
    const y = plot.valToPos(limit.value, "y", true);
    if (y < plot.bbox.top || y > plot.bbox.top + plot.bbox.height) continue;
    const dash = limit.severity === "act" ? [] : [6, 4];
    line(plot, { y, stroke: colour(limit.severity === "act" ? "--act" : "--watch"), dash });
  }
}

// spans in which an alert stood, behind the line; a short one is still two pixels wide
function drawBars(plot, bars) {
  const { ctx, bbox } = plot;
  for (const bar of bars) {
    const left = Math.max(plot.valToPos(bar.from, "x", true), bbox.left);
    const right = Math.min(plot.valToPos(bar.to, "x", true), bbox.left + bbox.width);
    if (right < bbox.left || left > bbox.left + bbox.width) continue;
    ctx.save();
    ctx.fillStyle = colour(bar.severity === "act" ? "--act-soft" : "--watch-soft");
    ctx.fillRect(left, bbox.top, Math.max(right - left, 2 * devicePixelRatio), bbox.height);
    ctx.restore();
    line(plot, { x: left, stroke: colour(bar.severity === "act" ? "--act" : "--watch"), dash: [] });
  }
}

function drawBaseline(plot, baseline) {
  const { ctx, bbox } = plot;
  const bottom = Math.min(plot.valToPos(baseline.low, "y", true), bbox.top + bbox.height);
  const top = Math.max(plot.valToPos(baseline.high, "y", true), bbox.top);
  if (bottom <= top) return;
  ctx.save();
  ctx.fillStyle = colour("--ok-soft");
  ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
  ctx.restore();
}

function drawMarks(plot, marks) {
  for (const mark of marks) {
    const x = plot.valToPos(mark.t, "x", true);
    if (x < plot.bbox.left || x > plot.bbox.left + plot.bbox.width) continue;
    const alert = mark.kind.startsWith("alert") || mark.kind === "failure";
    line(plot, { x, stroke: colour(alert ? "--act" : "--line-strong"), dash: [2, 3] });
  }
}

// room for the values, and for a limit only where they come near it: a far one would flatten them
function valueRange(limits, usual) {
  return (_plot, low, high) => {
    if (low === null || high === null) return [0, 1];
    const span = high - low || Math.abs(high) || 1;
    for (const { value } of [...limits, ...(usual.edges ?? [])]) {
      if (value > high && value - high < 2 * span) high = value;
      if (value < low && low - value < 2 * span) low = value;
    }
    const edge = (high - low || 1) * 0.08;
    return [low - edge, high + edge];
  };
}

// what was usual: the band of 5 to 95 % and the median, hour by hour; behind everything else
function drawUsual(plot, usual) {
  if (!usual.at) return;
  const { ctx, bbox, scales } = plot;
  const x = (time) => Math.min(Math.max(plot.valToPos(time, "x", true), bbox.left), bbox.left + bbox.width);
  const y = (value) => plot.valToPos(value, "y", true);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = colour("--line");
  ctx.strokeStyle = colour("--line-strong");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([2 * devicePixelRatio, 2 * devicePixelRatio]);
  for (let time = Math.floor(scales.x.min / 3600) * 3600; time < scales.x.max; time += 3600) {
    const found = usual.at(time);
    if (!found) continue;
    const [low, middle, high] = found;
    const left = x(time);
    const right = x(time + 3600);
    ctx.fillRect(left, y(high), right - left + 0.5, y(low) - y(high));
    ctx.beginPath();
    ctx.moveTo(left, y(middle));
    ctx.lineTo(right, y(middle));
    ctx.stroke();
  }
  ctx.restore();
}

export function words(value, unit) {
  return value === null || value === undefined ? "" : `${Number(value.toPrecision(4))} ${unit}`.trim();
}

/** uPlot's labels of a time axis: [step in seconds, label, then what is added when a year, month or day begins]. */
export const TIMES = [
  [365 * 86400, "{YYYY}", null, null, null, null, null, null, 1],
  [28 * 86400, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [86400, "{D} {MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [60, "{HH}:{mm}", "\n{D} {MMM} {YYYY}", null, "\n{D} {MMM}", null, null, null, 1],
  [1, ":{ss}", "\n{D} {MMM} {HH}:{mm}", null, "\n{D} {MMM} {HH}:{mm}", null, "\n{HH}:{mm}", null, 1],
];

/** Draws one quantity into `place`; `data` as `devices.charts.columns` gives it.
    `usual` may get its `at` and `edges` later; `onScale` hears of each change of the time axis. */
export function drawChart(place, data, { start, end, marks, resolution, zone, readout, usual = {}, onScale }) {
  const ink = colour("--ink-2");
  const grid = { stroke: colour("--line"), width: 1 };
  const axis = { stroke: ink, grid, ticks: grid, font: "11px system-ui, sans-serif" };
  const band = resolution !== "raw";
  const edge = { stroke: "transparent", points: { show: false }, spanGaps: false };
  const series = [
    {},
    { stroke: colour("--accent"), width: 1.5, spanGaps: false, points: { show: data.t.length < 120, size: 4 } },
  ];
  if (band) series.push({ ...edge }, { ...edge });
  const last = data.v.findLastIndex((value) => value !== null);
  // the hospital's clock, wherever the browser is
  const clock = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: zone });
  const say = (index) => {
    const at = index ?? last;
    if (at < 0 || data.v[at] === null || data.v[at] === undefined) return;
    readout.textContent = `${words(data.v[at], data.unit)} · ${clock.format(data.t[at] * 1000)}`;
  };
  const plot = new uPlot(
    {
      width: Math.max(place.clientWidth, 200),
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
      legend: { show: false },
      cursor: { sync: { key: "twin", scales: ["x", null] }, drag: { x: true, y: false } },
      scales: { x: { time: true, range: (_plot, low, high) => (low === null ? [start, end] : [low, high]) }, y: { range: valueRange(data.limits, usual) } },
      axes: [{ ...axis, values: TIMES }, { ...axis, size: GUTTER }],
      series,
      bands: band ? [{ series: [3, 2], fill: colour("--accent-soft") }] : [],
      hooks: {
        drawClear: [
          (self) => data.baseline && drawBaseline(self, data.baseline),
          (self) => drawBars(self, data.bars ?? []),
        ],
        drawAxes: [(self) => drawUsual(self, usual)],
        setScale: [(self, key) => key === "x" && onScale?.(self)],
        draw: [(self) => drawLimits(self, data.limits), (self) => drawMarks(self, marks)],
        setCursor: [(self) => say(self.cursor.idx)],
      },
    },
    band ? [data.t, data.v, data.lo, data.hi] : [data.t, data.v],
    place,
  );
  // one axis for all charts, also where a quantity has values only in a part of the span
  plot.setScale("x", { min: start, max: end });
  plot.over.addEventListener("dblclick", () => {
    queueMicrotask(() => plot.setScale("x", { min: start, max: end }));
  });
  new ResizeObserver(() => {
    const width = Math.max(place.clientWidth, 200);
    if (width !== plot.width) plot.setSize({ width, height: HEIGHT });
  }).observe(place);
  say(null);
  return plot;
}
