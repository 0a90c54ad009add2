// What Chart.js is told of a chart: its series, axes, legend and tooltips. `chart` says what a `spec` is.

function settingsOf(spec) {
  const colours = coloursOf(spec);
  const bars = spec.kind === "bar" || spec.kind === "stacked";
  const datasets = spec.series.flatMap((one, index) => (bars
    ? [barsOf(one, index, colours)]
    : [lineOf(one, index, colours, spec.kind), ...bandOf(one, index, colours)]));
  return {
    type: bars ? "bar" : spec.kind,
    data: { labels: spec.labels.map(String).map(printable), datasets },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      indexAxis: spec.across ? "y" : "x",
      interaction: { mode: spec.kind === "scatter" ? "nearest" : "index", axis: spec.across ? "y" : "x", intersect: spec.kind === "scatter" },
      color: colours.ink,
      font: { family: colours.font },
      scales: scalesOf(spec, colours),
      plugins: { legend: legendOf(datasets, colours), tooltip: tipsOf(spec) },
    },
  };
}

function barsOf(one, index, colours) {
  const colour = colours.series[index];
  return { label: one.name, data: one.values, backgroundColor: filling(index, colour, colours.paper),
    borderColor: colour, borderWidth: 1, maxBarThickness: 40 };
}

function lineOf(one, index, colours, kind) {
  const colour = colours.series[index];
  const data = kind === "scatter" ? one.values.map(([x, y]) => ({ x, y })) : one.values;
  return { label: one.name, data, borderColor: colour, backgroundColor: colour, borderWidth: 2,
    borderDash: DASHES[index % DASHES.length], stepped: one.stepped ? "before" : false, spanGaps: false, clip: 8,
    pointStyle: POINTS[index % POINTS.length], pointRadius: one.values.length > 100 ? 2 : 4 };
}

/** A band is two lines without points, behind the one that it is of: the lower unnamed, the area up to the upper filled. */
function bandOf(one, index, colours) {
  if (!one.band) return [];
  const edge = { borderColor: colours.series[index], borderWidth: 1, borderDash: [2, 3], pointRadius: 0, pointStyle: "rect" };
  const [rising, risen] = one.stepped ? ["before", "after"] : [false, false];
  const area = filling(1, colours.series[index], null);
  return [{ ...edge, label: "", data: one.band.low, stepped: rising },
    { ...edge, label: one.band.name, data: one.band.high, stepped: risen, fill: "-1", backgroundColor: area }];
}

function scalesOf(spec, colours) {
  const [, short] = UNITS[spec.unit ?? "count"];
  const lines = { grid: { color: colours.line }, border: { color: colours.line } };
  const named = (text) => ({ display: Boolean(text), text, color: colours.soft });
  const value = { ...lines, stacked: spec.kind === "stacked", beginAtZero: true, max: spec.most, ...spec.around && { suggestedMin: -spec.around, suggestedMax: spec.around }, ticks: { color: colours.soft, callback: short, maxTicksLimit: 7, precision: (spec.unit ?? "count") === "count" ? 0 : undefined } };
  const label = { ...lines, stacked: spec.kind === "stacked",
    ticks: { color: colours.soft, maxRotation: 45, autoSkip: !spec.across,
      callback(position) { return shortened(String(this.getLabelForValue(position)), spec.across ? this.chart.width / 18 : 24); } } };
  if (spec.kind === "scatter") return { x: { ...value, title: named(spec.x) }, y: { ...value, title: named(spec.y) } };
  return { [spec.across ? "y" : "x"]: { ...label, title: named(spec.across ? spec.y : spec.x) },
    [spec.across ? "x" : "y"]: { ...value, title: named(spec.across ? spec.x : spec.y) } };
}

function shortened(text, most) {
  return text.length > most ? `${text.slice(0, Math.max(4, most - 1))}…` : text;
}

/** It cannot be clicked: a keyboard could not do the same, and the table has each series by itself. */
function legendOf(datasets, colours) {
  const points = datasets.some(({ pointStyle }) => pointStyle);
  return { display: datasets.length > 1, position: "bottom", onClick: () => {},
    labels: { color: colours.ink, usePointStyle: points, boxHeight: points ? 6 : 10, boxWidth: points ? 10 : 24, filter: ({ text }) => text !== "" } };
}

function tipsOf(spec) {
  const [whole] = UNITS[spec.unit ?? "count"];
  const value = ({ raw }) => (spec.kind === "scatter" ? `${count(raw.x)}, ${whole(raw.y)}` : Array.isArray(raw) ? raw.map(whole).join(" to ") : whole(raw));
  return { filter: ({ dataset }) => dataset.label !== "", callbacks: { label: (item) => `${item.dataset.label}: ${value(item)}` } };
}
