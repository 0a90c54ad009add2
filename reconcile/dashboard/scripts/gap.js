// The gap between what was recorded, what is reported and what is billed, day by day.

view("gap", "Gap", (main) => {
  const known = extent([...data.runs.map(({ end }) => [day(end), day(end)]), ...dailyComparisons().flatMap(({ document: { rows } }) => rows.filter(isDaily).map(({ name }) => [name, name]))]);
  main.append(
    section("Gap", note("How far what was counted is from what the provider says. Percentages are of the provider's figure, as in ", el("code", {}, "reconcile compare"), "."),
      periodForm(known)),
    section("Recorded and reported", ...recordedParts()),
    section("Reported and billed", ...billedParts(known)));
});

// ------------------------------------------------------------------------------------------- of runs

/** Runs that recorded what is compared, and whose reported figure is settled and exact: what is reported late is no gap, and of
 *  shared minutes nobody can tell what is whose. */
function recordedParts() {
  const known = daysOfRuns();
  if (!known) return [note("There are no runs.")];
  const { there } = runsInRange();
  if (!there.length) return [outside("No runs ended", "The runs here ended", known)];
  const settled = there.filter(({ figure, group }) => figure && SETTLED.has(group));
  const exact = settled.filter((run) => run.exact);
  const days = recordedDays(exact);
  const both = exact.filter((run) => hasTokens(run) || hasCalls(run)).length;
  const left = `Of ${plural(there.length, "run")} of these days ${count(both)} ${agreed(both, "is", "are")} in it. Not in it: `
    + `${count(there.length - settled.length)} without a settled figure, ${count(settled.length - exact.length)} whose figure is not known to be exact, `
    + `${count(exact.length - both)} that recorded neither tokens in and out nor calls.`;
  return days.length ? [note(left), recordedChart(days), recordedTable(days)] : [note(left)];
}

const SETTLED = new Set(["verified", "broken"]);

function hasTokens({ recorded, figure }) {
  return [0, 1].every((kind) => isTold(recorded?.[kind]) && isTold(figure[kind]));
}

function hasCalls({ recorded, figure }) {
  return isTold(recorded?.[3]) && isTold(figure[3]);
}

function isTold(value) {
  return value !== null && value !== undefined;
}

function recordedDays(runs) {
  const days = new Map();
  const add = (name, kind, recorded, reported) => {
    if (!days.has(name)) days.set(name, { name, tokens: { runs: 0, recorded: 0, reported: 0 }, calls: { runs: 0, recorded: 0, reported: 0 } });
    const sum = days.get(name)[kind];
    sum.runs += 1;
    sum.recorded += recorded;
    sum.reported += reported;
  };
  for (const run of runs) {
    if (hasTokens(run)) add(day(run.end), "tokens", run.recorded[0] + run.recorded[1], run.figure[0] + run.figure[1]);
    if (hasCalls(run)) add(day(run.end), "calls", run.recorded[3], run.figure[3]);
  }
  return [...days.values()];
}

/** In per cent of what is reported; of zero there is none. */
function gapPercent({ recorded, reported }) {
  return reported ? (100 * (recorded - reported)) / reported : null;
}

function recordedChart(days) {
  const found = new Map(days.map((each) => [each.name, each]));
  const labels = daysOf(found.keys());
  const gaps = (kind) => labels.map((name) => (found.has(name) ? gapPercent(found.get(name)[kind]) : null));
  const [tokens, calls] = [gaps("tokens"), gaps("calls")];
  const widest = [...tokens, ...calls].filter(isTold).reduce((most, gap) => Math.max(most, Math.abs(gap)), 0);
  return chart({ kind: "line", unit: "percent", title: "Recorded less reported, by day", labels, x: "UTC day", y: "recorded less reported", around: 1,
    says: `Difference of recorded and reported tokens and calls on ${plural(days.length, "day")}, in per cent. The widest is ${percent(widest)}.`,
    series: [{ name: "Tokens", values: tokens }, { name: "Calls", values: calls }] });
}

function recordedTable(days) {
  const of = (kind, member, key, title) => ({ key, title, numeric: true, value: (row) => (row[kind].runs ? row[kind][member] : null) });
  const gap = (kind, key, title) => ({ key, title, numeric: true, value: (row) => gapPercent(row[kind]), cell: (row) => differenceOf(gapPercent(row[kind]), percentText) });
  const columns = [
    { key: "day", title: "Day", value: ({ name }) => name },
    of("tokens", "runs", "token_runs", "Runs (tokens)"), of("tokens", "recorded", "recorded_tokens", "Tokens recorded"),
    of("tokens", "reported", "reported_tokens", "Tokens reported"), gap("tokens", "token_percent", "Tokens, %"),
    of("calls", "runs", "call_runs", "Runs (calls)"), of("calls", "recorded", "recorded_calls", "Calls recorded"),
    of("calls", "reported", "reported_calls", "Calls reported"), gap("calls", "call_percent", "Calls, %"),
  ];
  return table({ caption: "Recorded and reported, by day", columns, rows: days, sorted: { key: "day", down: true }, name: "recorded-and-reported" });
}

// ------------------------------------------------------------------------------------------- of comparisons

function dailyComparisons() {
  return data.comparisons.filter(({ document: { by } }) => by === "day");
}

function isDaily({ name }) {
  return typeof name === "string";
}

function billedParts() {
  const found = dailyComparisons();
  const head = note("From saved comparisons whose rows are days: the log and its cost against what the provider reports and bills for the models that were called. Tax, credits and the invoice are in none of it.");
  if (!found.length) return [head, howToCompare()];
  return [head, ...found.flatMap(billedOne)];
}

function billedOne({ name, document: { rows } }) {
  const { start, end } = range();
  const days = rows.filter(isDaily);
  const shown = days.filter((row) => row.name >= start && row.name <= end);
  const title = el("h3", {}, name);
  if (!shown.length) {
    const { first, last } = extent(days.map((row) => [row.name, row.name])) ?? { first: "–", last: "–" };
    return [title, note(days.length ? `None of its days is from ${start} to ${end}: they are from ${first} to ${last}.` : "It has no days.")];
  }
  return [title, billedChart(name, shown), rowsTable({ caption: `Log, provider and bill by day: ${name}`, by: "day", rows: shown, name: `${fileName(name)}-by-day` })];
}

function billedChart(name, rows) {
  const gap = (metric) => rows.map((row) => (isTold(row.percent?.[metric]) ? Number(row.percent[metric]) : null));
  const series = [{ name: "Tokens", values: gap("total_tokens") }, { name: "Requests", values: gap("requests") }, { name: "Cost", values: gap("cost_usd") }];
  const told = series.flatMap(({ values }) => values).filter(isTold);
  if (!told.length) return note("On none of these days both sides show usage: there is no difference in per cent.");
  const widest = told.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
  return chart({ kind: "line", unit: "percent", title: `Log less provider, by day: ${name}`, labels: rows.map((row) => row.name), x: "UTC day", y: "log less provider", around: 1, series,
    says: `Difference of log and provider in tokens, requests and cost on ${plural(rows.length, "day")}, in per cent. The widest is ${percent(widest)}.` });
}
