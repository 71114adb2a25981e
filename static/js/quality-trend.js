// Trends of QA tests: values of signed sessions with the bands of their day; a click opens one.
import uPlot from "../vendor/uPlot.esm.js";
import { GUTTER, TIMES, colour, words } from "./chart.js";

const HEIGHT = 180;
const COLOURS = { pass: "--ok", tolerance: "--watch", action: "--act" };

function drawPoints(plot, data) {
  const { ctx } = plot;
  data.v.forEach((value, place) => {
    if (value === null) return;
    ctx.beginPath();
    ctx.fillStyle = colour(COLOURS[data.verdicts[place]] ?? "--accent");
    ctx.arc(plot.valToPos(data.t[place], "x", true), plot.valToPos(value, "y", true), 4 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.fill();
  });
}

function valueRange(data) {
  return (_plot, low, high) => {
    const known = [low, high, ...data.action_low, ...data.action_high].filter((each) => each !== null && each !== undefined);
    if (!known.length) return [0, 1];
    const bottom = Math.min(...known);
    const top = Math.max(...known);
    const edge = (top - bottom || Math.abs(top) || 1) * 0.1;
    return [bottom - edge, top + edge];
  };
}

function timeRange(_plot, low, high) {
  if (low === null) return [0, 1];
  const edge = Math.max((high - low) * 0.05, 86400);
  return [low - edge, high + edge];
}

function draw(place, data, readout) {
  const grid = { stroke: colour("--line"), width: 1 };
  const axis = { stroke: colour("--ink-2"), grid, ticks: grid, font: "11px system-ui, sans-serif" };
  const step = uPlot.paths.stepped({ align: 1 });
  const edge = (name, dash) => ({ stroke: colour(name), width: 1, dash, paths: step, points: { show: false } });
  const clock = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: data.zone });
  const say = (index) => {
    if (index === null || index === undefined || data.v[index] === null) return;
    readout.textContent = `${words(data.v[index], data.unit)} · ${clock.format(data.t[index] * 1000)} · QA-${data.sessions[index]}`;
  };
  const plot = new uPlot(
    {
      width: Math.max(place.clientWidth, 200),
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), data.zone),
      legend: { show: false },
      cursor: { drag: { x: true, y: false }, points: { size: 10 } },
      scales: { x: { time: true, range: timeRange }, y: { range: valueRange(data) } },
      axes: [{ ...axis, values: TIMES }, { ...axis, size: GUTTER }],
      series: [
        {},
        edge("--watch", [6, 4]),
        edge("--watch", [6, 4]),
        edge("--act", []),
        edge("--act", []),
        // last: the band's fill would cover it
        { stroke: colour("--accent"), width: 1.5, spanGaps: false, points: { show: false } },
      ],
      bands: [{ series: [2, 1], fill: colour("--ok-soft") }],
      hooks: {
        draw: [(self) => drawPoints(self, data)],
        setCursor: [(self) => say(self.cursor.idx)],
      },
    },
    [data.t, data.tolerance_low, data.tolerance_high, data.action_low, data.action_high, data.v],
    place,
  );
  plot.over.addEventListener("click", () => {
    const index = plot.cursor.idx;
    const session = data.sessions[index];
    // a drag zooms and is no click; a click far from a point means none
    if (session === undefined || data.v[index] === null) return;
    const far = Math.hypot(plot.valToPos(data.t[index], "x") - plot.cursor.left, plot.valToPos(data.v[index], "y") - plot.cursor.top);
    if (far < 24) location.assign(`/quality/sessions/${session}/`);
  });
  new ResizeObserver(() => {
    const width = Math.max(place.clientWidth, 200);
    if (width !== plot.width) plot.setSize({ width, height: HEIGHT });
  }).observe(place);
  say(data.v.findLastIndex((value) => value !== null));
}

const source = document.getElementById("trend-data");
for (const data of source ? JSON.parse(source.textContent) : []) {
  const key = CSS.escape(data.key);
  draw(document.querySelector(`[data-trend="${key}"]`), data, document.querySelector(`[data-readout="${key}"]`));
}
