// Charts by Chart.js. Every one has a name, a sentence for those who hear the page, and its numbers as a table below it.
// It is drawn when it comes into view, and again when the colours of the page change.

const COMPACT = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

/** How numbers of a unit are written: whole, and short beside an axis. */
const UNITS = {
  count: [count, (value) => COMPACT.format(value)],
  dollars: [dollars, (value) => `${value < 0 ? "−" : ""}$${COMPACT.format(Math.abs(value))}`],
  percent: [percent, (value) => `${COMPACT.format(value)} %`],
};

/** `12.5 %`; a dash where nothing tells it. */
function percent(value) {
  return value === null || value === undefined ? "–" : `${signless(Number(value).toFixed(1)).replace("-", "−")} %`;
}

/** No zero is below zero. */
function signless(text) {
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text;
}

/** A chart as a figure.
 *
 *  `kind`: "bar", "stacked" (bars), "line" or "scatter" (whose values are pairs). `across: true` lays bars down, for long names.
 *  `says`: what it shows, in a sentence. `labels`: one for each value. `unit`: "count" (where none is named), "dollars" or "percent".
 *  `series`: `{name, values, colour, band, stepped}`: `colour` names a token of the style, as "--warn"; `band` is
 *  `{name, low, high}` around a line; `stepped` holds a value, and what is at least so, until the next; null is no value.
 *  `x` and `y` name the axes; that of the values ends at `most`, or has `around` above and below zero at least. */
function chart(spec) {
  const canvas = el("canvas", { role: "img", "aria-label": spec.says });
  const box = el("div", { class: spec.across ? "chart across" : "chart" }, canvas);
  if (spec.across) box.style.setProperty("--bars", spec.labels.length * (spec.kind === "stacked" ? 1 : spec.series.length));
  waitFor({ canvas, spec, drawn: null });
  return el("figure", {}, el("figcaption", {}, spec.title), box, numbersOf(spec));
}

// ------------------------------------------------------------------------------------------- when they are drawn

const charts = new Map();
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) if (isIntersecting) drawChart(charts.get(target));
}, { rootMargin: "200px" });

function waitFor(waiting) {
  charts.set(waiting.canvas, waiting);
  seen.observe(waiting.canvas);
}

function drawChart(waiting) {
  if (!waiting) return;
  seen.unobserve(waiting.canvas);
  waiting.drawn?.destroy();
  waiting.drawn = new Chart(waiting.canvas, settingsOf(waiting.spec));
}

/** The charts of a view that is left. */
function forgetCharts() {
  seen.disconnect();
  for (const { drawn } of charts.values()) drawn?.destroy();
  charts.clear();
}

function drawAgain({ all = false } = {}) {
  for (const waiting of charts.values()) if (all || waiting.drawn) drawChart(waiting);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAgain());
addEventListener("beforeprint", () => {
  document.documentElement.style.colorScheme = "light"; // paper is white, and what was not in view is printed too
  drawAgain({ all: true });
});
addEventListener("afterprint", () => {
  document.documentElement.style.colorScheme = "";
  drawAgain();
});

// ------------------------------------------------------------------------------------------- what Chart.js is told

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

// ------------------------------------------------------------------------------------------- the numbers

/** They are put there when they are asked for: a page has many charts. */
function numbersOf(spec) {
  const node = el("details", { class: "numbers" }, el("summary", {}, `Numbers of ${spec.title}`));
  node.addEventListener("toggle", () => node.append(table(numbersTable(spec))), { once: true });
  return node;
}

function numbersTable(spec) {
  const [whole] = UNITS[spec.unit ?? "count"];
  const figure = (key, title, value) => ({ key, title, value, cell: (row) => whole(value(row)), numeric: true });
  const caption = `Numbers of ${spec.title}`;
  if (spec.kind === "scatter") {
    const rows = spec.series.flatMap(({ name, values }) => values.map(([x, y]) => ({ name, x, y })));
    const across = { key: "x", title: spec.x ?? "Across", value: ({ x }) => x, numeric: true };
    return { caption, rows, columns: [{ key: "name", title: "Series", value: ({ name }) => name }, across, figure("y", spec.y ?? "Up", ({ y }) => y)] };
  }
  const columns = spec.series.flatMap(({ name, values, band }, index) => [
    figure(`${index}`, name, (row) => values[row]),
    ...(band ? [figure(`${index} low`, `${band.name}, from`, (row) => band.low[row]), figure(`${index} high`, `${band.name}, to`, (row) => band.high[row])] : []),
  ]);
  return { caption, rows: spec.labels.map((_, row) => row), columns: [{ key: "label", title: spec.x ?? "Of", value: (row) => spec.labels[row] }, ...columns] };
}
