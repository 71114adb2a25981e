// The patient page: lanes of values over one time axis with the films as lines, and the form.
import uPlot from "../vendor/uPlot.esm.js";

const PAIR = ["8480-6", "8462-4"]; // systolic and diastolic share a lane
const LANE_HEIGHT = 132;
const DAY = 86_400;
const AXIS_WIDTH = 64; // the same for all lanes, so that their time axes lie under each other

const lanesBox = document.getElementById("lanes");
if (lanesBox) drawLanes(lanesBox);
const form = document.getElementById("observation-form");
if (form) linkForm(form);

function readJson(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

function drawLanes(box) {
  const { groups, start, end } = readJson("lane-data");
  const films = []; // filled when the timeline answers; every lane draws them
  const charts = [];
  for (const group of groups) {
    const title = document.createElement("h3");
    title.textContent = group.lane;
    box.append(title);
    for (const lane of lanesOf(group.series)) charts.push(drawLane(box, lane, { start, end, films }));
  }
  const resize = () => {
    for (const chart of charts) chart.setSize({ width: box.clientWidth, height: LANE_HEIGHT });
  };
  new ResizeObserver(resize).observe(box);
  loadFilms(box.dataset.timeline, start).then((times) => {
    films.push(...times);
    for (const chart of charts) chart.redraw(false);
  });
}

/** Blood pressure is one lane of two lines, everything else a lane of its own. */
function lanesOf(series) {
  const pair = series.filter((one) => PAIR.includes(one.code));
  const rest = series.filter((one) => !PAIR.includes(one.code)).map((one) => [one]);
  return pair.length ? [pair, ...rest] : rest;
}

function drawLane(box, lane, { start, end, films }) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const lines = [colour("--accent"), colour("--ink-2")];
  const holder = document.createElement("div");
  holder.setAttribute("role", "img");
  holder.setAttribute("aria-label", spoken(lane));
  box.append(holder);
  const clock = clockOf(box.dataset.zone);
  const axis = {
    stroke: colour("--ink-2"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1 },
  };
  const options = {
    width: box.clientWidth,
    height: LANE_HEIGHT,
    cursor: { sync: { key: "patient" }, drag: { x: true, y: false } },
    scales: { x: { time: true, range: () => [start ?? firstTime(lane), end] } },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), box.dataset.zone),
    axes: [
      { ...axis, space: 100, values: (_chart, splits) => clock.ticks(splits) },
      { ...axis, size: AXIS_WIDTH, space: 20 },
    ],
    series: [
      { label: "time", value: (_chart, at) => (at == null ? "latest" : clock.full(at)) },
      ...lane.map((one, index) => ({
        label: `${one.name} (${one.unit})`,
        stroke: lines[index],
        dash: index ? [6, 4] : undefined,
        width: 1.5,
        spanGaps: true,
        points: { show: true, size: 5 },
        // without a cursor over the lane: the latest value
        value: (_chart, value, _series, at) => numberOf(one, at == null ? one.points.at(-1)[1] : value),
      })),
    ],
    hooks: { draw: [(chart) => drawFilms(chart, films, colour("--watch"))] },
  };
  return new uPlot(options, table(lane), holder);
}

function numberOf(one, value) {
  return value == null ? "unknown" : `${value.toFixed(one.decimals)} ${one.unit}`;
}

/** Times as the hospital's clock shows them. */
function clockOf(timeZone) {
  const format = (options) => {
    const formatter = new Intl.DateTimeFormat("en-GB", { timeZone, ...options });
    return (seconds) => formatter.format(new Date(seconds * 1000));
  };
  const minute = { hour: "2-digit", minute: "2-digit" };
  const day = format({ day: "numeric", month: "short" });
  const hour = format({ day: "numeric", month: "short", ...minute });
  const month = format({ month: "short", year: "numeric" });
  return {
    full: format({ day: "numeric", month: "short", year: "numeric", ...minute }),
    ticks(splits) {
      const step = splits.length > 1 ? splits[1] - splits[0] : DAY;
      return splits.map(step < DAY ? hour : step < 28 * DAY ? day : month);
    },
  };
}

/** Columns as uPlot wants them: all times of the lane, then each line's values or null. */
function table(lane) {
  const times = [...new Set(lane.flatMap((one) => one.points.map(([at]) => at)))].sort((a, b) => a - b);
  const columns = lane.map((one) => {
    const values = new Map(one.points);
    return times.map((at) => values.get(at) ?? null);
  });
  return [times, ...columns];
}

function firstTime(lane) {
  return Math.min(...lane.map((one) => one.points[0][0]));
}

function spoken(lane) {
  return lane
    .map((one) => {
      return `${one.name}: ${one.points.length} values, the latest ${numberOf(one, one.points.at(-1)[1])}`;
    })
    .join("; ");
}

function drawFilms(chart, films, colour) {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const at of films) {
    const x = Math.round(chart.valToPos(at, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

/** Times of the films since `start`, in seconds; the lanes stand without them if that fails. */
async function loadFilms(address, start) {
  const answer = await fetch(`${address}?kind=film&page_size=200`, { credentials: "same-origin" });
  if (!answer.ok) {
    document.getElementById("lanes-note").textContent = "The films could not be loaded into the lanes.";
    return [];
  }
  const { results } = await answer.json();
  return results.map((film) => Date.parse(film.at) / 1000).filter((at) => start == null || at >= start);
}

/** The unit follows the kind, and the second value shows for blood pressure only. */
function linkForm(box) {
  const units = readJson("unit-data");
  const { kind, unit, lower } = box.elements;
  const list = document.getElementById("units");
  const follow = () => {
    list.replaceChildren(
      ...units[kind.value].map((text) => {
        const option = document.createElement("option");
        option.value = text;
        return option;
      }),
    );
    const isPair = kind.value === "blood-pressure";
    lower.closest(".field").hidden = !isPair;
    lower.required = isPair;
    if (!isPair) lower.value = "";
  };
  kind.addEventListener("change", () => {
    unit.value = units[kind.value][0];
    follow();
  });
  if (!unit.value) unit.value = units[kind.value][0];
  follow();
}
