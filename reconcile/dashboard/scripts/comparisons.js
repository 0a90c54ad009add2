// Saved comparisons of a usage log with the provider, side by side.

const VERDICT_BADGES = {
  reconciled: ["within", "✓ Reconciled", "Log and provider agree: every figure that is tested is within its tolerance."],
  mismatch: ["without", "✗ Mismatch", ""],
  no_data: ["untested", "– No data", "Nothing to compare: a side shows no usage in these days, which is not the same as agreeing."],
};

view("comparisons", "Comparisons", (main) => {
  const all = data.comparisons.map((saved, index) => ({ ...saved, title: titleOf(saved, index) }));
  const known = extent(all.map(({ document: { period } }) => [period.start, period.end]));
  const { start, end } = range();
  const shown = all.filter(({ document: { period } }) => period.start <= end && period.end >= start);
  const others = all.filter((each) => !shown.includes(each));
  main.append(section("Comparisons", note("A usage log held against what the provider reports and bills. A difference is the log less the provider: below zero the log lacks something."),
    periodForm(known),
    !all.length && howToCompare(),
    all.length && !shown.length ? outside("No comparison is of days", "The comparisons here are of days", known) : null,
    el("div", { class: "comparisons" }, shown.map(comparisonCard)),
    shown.length && others.length ? note(`Of other days, and not shown: ${others.map(({ title, document: { period } }) => `${title} (${period.start} to ${period.end})`).join(", ")}.`) : null));
});

/** Two files of one name are told apart by their place. */
function titleOf({ name }, index) {
  const earlier = data.comparisons.slice(0, index).filter((each) => each.name === name).length;
  return earlier ? `${name} (${earlier + 1})` : name;
}

function howToCompare() {
  return el("div", { class: "outside" }, el("p", {}, "No comparison was given to this page. Save one, and make the page with it:"),
    ...["reconcile compare --logs 'logs/*.ndjson' --json > c.json", "reconcile report --html DIR --comparison c.json"].map((line) => el("code", {}, line)));
}

function comparisonCard({ title, document: found }) {
  const { period, by } = found;
  const rows = rowsShown(found);
  const left = found.rows.length - rows.length;
  return el("article", { "aria-label": title, class: "comparison" },
    el("h3", {}, title),
    el("p", {}, verdictBadge(found.verdict), " ", el("time", {}, period.start), " to ", el("time", {}, period.end), " (UTC)"),
    note(verdictSentence(found)),
    found.log?.of_runs && note("Committed runs stand in for a log, and their figures are the provider's own: this shows usage that no run claims, not that the figures are right."),
    metricsTable(found, title),
    comparisonDownloads(found, title, rows),
    found.breaks.length > 0 && el("div", {}, el("h4", {}, "Why they may differ, likeliest first"), el("ol", { class: "breaks" }, found.breaks.map(breakItem))),
    costDifference(found.cost_difference),
    apartParts(found),
    billPart(found.bill),
    el("h4", {}, `By ${by}: log beside provider`),
    left > 0 && note(`${plural(left, "row")} of other days ${agreed(left, "is", "are")} not shown. What stands above is of the whole period.`),
    rowsTable({ caption: `By ${by}: ${title}`, by, rows }));
}

function verdictBadge(verdict) {
  const [kind, text] = VERDICT_BADGES[verdict] ?? ["untested", words(verdict)];
  return el("span", { class: `whole ${kind}` }, text);
}

function verdictSentence({ verdict, outside: metrics }) {
  if (verdict === "mismatch") return `Out of tolerance: ${metrics.map((metric) => METRICS[metric] ?? metric).join(", ")}.`;
  return VERDICT_BADGES[verdict]?.[2] ?? "";
}

/** Its rows: where they are days, those of the range. */
function rowsShown({ by, rows }) {
  const { start, end } = range();
  return by === "day" ? rows.filter(({ name }) => !isTold(name) || (name >= start && name <= end)) : rows;
}

/** In the order of the text report: parts of the input below it, so it is not sorted. */
function metricsTable({ local, official, difference, percent: of, tolerance }, title) {
  const caption = `Log and provider: ${title}`;
  const metrics = Object.keys(METRICS).filter((metric) => metric in tolerance);
  const head = (text, numeric) => el("th", { scope: "col", class: numeric && "number" }, text);
  const cells = (metric) => [
    el("th", { scope: "row", class: WITHIN_INPUT.has(metric) && "part" }, METRICS[metric], " ", withinBadge(tolerance[metric])),
    ...[figureText(local[metric]), figureText(official[metric]), differenceOf(difference[metric]), differenceOf(of[metric], percentText)].map((cell) => el("td", { class: "number" }, cell)),
  ];
  return el("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": `Table: ${caption}` },
    el("table", { class: "metrics" }, el("caption", {}, el("span", {}, caption)),
      el("thead", {}, el("tr", {}, head("Metric"), ...["Log", "Provider", "Difference", "%"].map((text) => head(text, true)))),
      el("tbody", {}, metrics.map((metric) => el("tr", {}, cells(metric))))));
}

function asSortable(value) {
  return isTold(value) ? Number(value) : null;
}

/** Requests, tokens and cost of both sides, row by row. */
function rowsTable({ caption, by, rows, name = null }) {
  const side = (key, heading, of, metric) => ({ key, title: heading, numeric: true, value: (row) => asSortable(row[of]?.[metric]), cell: (row) => figureText(row[of]?.[metric]), saved: (row) => row[of]?.[metric] });
  const gap = (key, title, metric) => ({ key, title, numeric: true, value: (row) => asSortable(row.percent?.[metric]), cell: (row) => differenceOf(row.percent?.[metric], percentText), saved: (row) => row.percent?.[metric] });
  const columns = [
    { key: by, title: by[0].toUpperCase() + by.slice(1), value: (row) => row.name, cell: (row) => row.name ?? "(not told)" },
    side("local_requests", "Log requests", "local", "requests"), side("official_requests", "Provider requests", "official", "requests"),
    side("local_tokens", "Log tokens", "local", "total_tokens"), side("official_tokens", "Provider tokens", "official", "total_tokens"), gap("tokens_percent", "Tokens, %", "total_tokens"),
    side("local_cost_usd", "Log USD", "local", "cost_usd"), side("official_cost_usd", "Bill USD", "official", "cost_usd"), gap("cost_percent", "Cost, %", "cost_usd"),
  ];
  return table({ caption, columns, rows, name });
}
