// Charts by Chart.js. Every one has a name, a sentence for those who hear the page, and its numbers as a table below it.

const charts = [];

/** The charts of a view that is left. */
function forgetCharts() {
  for (const chart of charts.splice(0)) chart.destroy();
}
