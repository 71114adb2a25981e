// The charts of a twin or an alert: small multiples on one time axis with one cursor.
import { drawChart } from "./chart.js";

/** Draws the charts in `root`, each once. */
export function drawAll(root = document) {
  for (const box of root.querySelectorAll("[data-charts]")) {
    // htmx brings no script elements, so an answer of its has the data in an attribute
    const data = JSON.parse(box.dataset.chartsJson ?? document.getElementById(box.dataset.charts).textContent);
    for (const chart of data.charts) {
      const figure = box.querySelector(`[data-chart="${CSS.escape(chart.key)}"]`);
      drawChart(figure.querySelector("[data-plot]"), chart, {
        start: data.start,
        end: data.end,
        marks: data.marks,
        resolution: data.resolution,
        zone: data.zone,
        readout: figure.querySelector("[data-readout]"),
      });
    }
  }
}

drawAll();
// what htmx brought later: the answer of a replay
document.addEventListener("htmx:afterSettle", ({ detail: { target } }) => drawAll(target));
