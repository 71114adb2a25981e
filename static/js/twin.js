// The charts of a twin or an alert: small multiples on one time axis with one cursor, and what happened above.
import { Axis } from "./axis.js";
import { drawChart } from "./chart.js";
import { drawLanes } from "./lanes.js";
import { offerPng } from "./png.js";
import { loadUsual } from "./usual.js";

const page = document.getElementById("axis");
const read = (id) => JSON.parse(document.getElementById(id).textContent);

function drawCharts(box, data, axis) {
  const usual = {};
  for (const chart of data.charts) {
    const figure = box.querySelector(`[data-chart="${CSS.escape(chart.key)}"]`);
    const note = figure.querySelector("[data-usual]");
    usual[chart.key] = {
      say: () => {
        if (note) note.hidden = false;
      },
    };
    axis.add(
      drawChart(figure.querySelector("[data-plot]"), chart, {
        start: data.start,
        end: data.end,
        marks: data.marks,
        resolution: data.resolution,
        zone: data.zone,
        readout: figure.querySelector("[data-readout]"),
        usual: usual[chart.key],
        onScale: (plot) => axis.changed(plot),
      }),
    );
  }
  return usual;
}

/** Draws the charts in `root`, each once. */
export function drawAll(root = document) {
  for (const box of root.querySelectorAll("[data-charts]")) {
    // htmx brings no script elements, so an answer of its has the data in an attribute
    const data = box.dataset.chartsJson ? JSON.parse(box.dataset.chartsJson) : read(box.dataset.charts);
    const axis = new Axis(page, data);
    const lanes = page?.querySelector("[data-lanes]");
    if (lanes) {
      axis.add(
        drawLanes(lanes.querySelector("[data-plot]"), read(lanes.dataset.lanes), {
          start: data.start,
          end: data.end,
          zone: data.zone,
          clock: axis.clock,
          readout: lanes.querySelector("[data-readout]"),
          onScale: (plot) => axis.changed(plot),
        }),
      );
    }
    const usual = drawCharts(box, data, axis);
    if (box.dataset.usual) {
      loadUsual(box.dataset.usual, usual, {
        ...data,
        redraw: () => {
          for (const plot of axis.plots) plot.setScale("x", { min: axis.now[0], max: axis.now[1] });
        },
      });
    }
    if (page) offerPng(page, axis, data.zone);
  }
}

drawAll();
// what htmx brought later: the answer of a replay
document.addEventListener("htmx:afterSettle", ({ detail: { target } }) => drawAll(target));
