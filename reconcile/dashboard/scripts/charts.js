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

// ------------------------------------------------------------------------------------------- the numbers

/** They are put there when they are asked for: a page has many charts. */
function numbersOf(spec) {
  const node = el("details", { class: "numbers" }, el("summary", {}, `Numbers: ${spec.title}`));
  node.addEventListener("toggle", () => node.append(table(numbersTable(spec))), { once: true });
  return node;
}

function numbersTable(spec) {
  const [whole] = UNITS[spec.unit ?? "count"];
  const figure = (key, title, value) => ({ key, title, value, cell: (row) => whole(value(row)), numeric: true });
  const caption = `Numbers: ${spec.title}`;
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
