// Two machines, or one machine and its earlier self: one plot per metric, both on the same scale and axis.
import uPlot from "../vendor/uPlot.esm.js";
import { Axis } from "./axis.js";
import { colour, GUTTER, TIMES, words } from "./chart.js";
import { offerPng } from "./png.js";

const HEIGHT = 180;

function drawPair(place, chart, { start, end, shift, zone, clock, readout, onScale }) {
  const ink = colour("--ink-2");
  const grid = { stroke: colour("--line"), width: 1 };
  const axis = { stroke: ink, grid, ticks: grid, font: "11px system-ui, sans-serif" };
  const times = chart.b.t.map((time) => time + shift);
  // join keeps nulls, which are gaps, apart from times that the other side has and this one hasn't
  const table = uPlot.join([
    [chart.a.t, chart.a.v],
    [times, chart.b.v],
  ]);
  const points = { show: table[0].length < 120, size: 4 };
  const near = (values, index) => {
    for (let off = 0; off < 40; off += 1) {
      for (const at of [index - off, index + off]) if (values[at] != null) return values[at];
    }
    return null;
  };
  const plot = new uPlot(
    {
      width: Math.max(place.clientWidth, 200),
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
      legend: { show: false },
      cursor: { sync: { key: "compare", scales: ["x", null] }, drag: { x: true, y: false } },
      scales: { x: { time: true, range: (_plot, low, high) => (low === null ? [start, end] : [low, high]) } },
      axes: [{ ...axis, values: TIMES }, { ...axis, size: GUTTER }],
      series: [
        {},
        { stroke: colour("--accent"), width: 1.5, points },
        { stroke: colour("--watch"), width: 1.5, dash: [6, 3], points },
      ],
      hooks: {
        setScale: [(self, key) => key === "x" && onScale(self)],
        setCursor: [
          (self) => {
            const at = self.cursor.idx;
            if (at == null) return;
            const [a, b] = [near(table[1], at), near(table[2], at)];
            const both = [a === null ? "" : `A ${words(a, chart.unit)}`, b === null ? "" : `B ${words(b, chart.unit)}`];
            readout.textContent = [clock.minute(table[0][at]), ...both].filter(Boolean).join(" · ");
          },
        ],
      },
    },
    table,
    place,
  );
  plot.setScale("x", { min: start, max: end });
  plot.over.addEventListener("dblclick", () => queueMicrotask(() => plot.setScale("x", { min: start, max: end })));
  new ResizeObserver(() => {
    const width = Math.max(place.clientWidth, 200);
    if (width !== plot.width) plot.setSize({ width, height: HEIGHT });
  }).observe(place);
  return plot;
}

const box = document.querySelector("[data-compare]");
if (box) {
  const page = document.getElementById("axis");
  const data = JSON.parse(document.getElementById(box.dataset.compare).textContent);
  const axis = new Axis(page, data);
  for (const chart of data.charts) {
    const figure = box.querySelector(`[data-chart="${CSS.escape(chart.key)}"]`);
    const readout = figure.querySelector("[data-readout]");
    const options = { ...data, clock: axis.clock, readout, onScale: (plot) => axis.changed(plot) };
    axis.add(drawPair(figure.querySelector("[data-plot]"), chart, options));
  }
  offerPng(page, axis, data.zone);
}
const against = document.querySelector("[name=against]");
against?.addEventListener("change", () => {
  against.form.elements.b.disabled = against.checked;
});
