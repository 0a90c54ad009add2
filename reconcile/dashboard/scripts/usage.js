// What runs used and cost: by framework, by model, by day.

const MEASURES = {
  tokens: { title: "Tokens", unit: "count" },
  calls: { title: "Calls", unit: "count" },
  cost: { title: "Cost", unit: "dollars" },
};
const MOST_BARS = 12;
let measure = "tokens";

view("usage", "Usage", (main) => {
  const known = daysOfRuns();
  const { there, read } = runsInRange();
  main.append(section("Usage", note("Runs are counted on the UTC day on which they ended."), periodForm(known), ...summaryOf(known)));
  if (!there.length || !read.length) return;
  const by = [
    ["framework", "framework", tallied(read, (run) => [[run.framework, ...boundsOf(run)]])],
    ["model", "model", tallied(read, shares)],
    ["day", "day", tallied(read, (run) => [[day(run.end), ...boundsOf(run)]])],
  ];
  const holders = by.map(() => el("div", {}));
  const fill = () => by.forEach(([key, noun, sums], index) => holders[index].replaceChildren(usageChart(key, noun, sums)));
  main.append(measureChoice(fill));
  by.forEach(([key, noun, sums], index) => main.append(section(`By ${noun}`, holders[index], sumsTable(key, noun, sums), key === "model" && costNote(read))));
  fill();
});

/** What the sums are of, and what they rest on. */
function summaryOf(known) {
  if (!known) return [note("There are no runs.")];
  const { there, read, unread } = runsInRange();
  if (!there.length) return [outside("No runs ended", "The runs here ended", known)];
  if (!read.length) return [note(`${plural(there.length, "run")} ended in these days, and none of them has a figure yet.`)];
  const [sum] = tallied(read, (run) => [[null, ...boundsOf(run)]]);
  return [
    el("dl", { class: "figures" },
      totalOf("Tokens in", sumText(sum, 0)), totalOf("of them cached", sumText(sum, 2)),
      totalOf("Tokens out", sumText(sum, 1)), totalOf("Calls", sumText(sum, 3)),
      totalOf("Cost at list prices", dollars(sumOf(sum.costs))), totalOf("Tokens verified", percent(verifiedShare(sum)))),
    note(...restsOn(sum, read, unread)),
  ];
}

function totalOf(name, value) {
  return el("div", {}, el("dt", {}, name), el("dd", {}, value));
}

function restsOn(sum, read, unread) {
  const ranged = read.filter((run) => boundsOf(run)[0] !== boundsOf(run)[1]).length;
  const inherited = read.filter(({ status }) => status === "inherited").length;
  const unbounded = read.filter((run) => !run.exact && !run.bounds).length;
  const share = verifiedShare(sum);
  const tokens = share === null ? "" : `, and so ${isRange(sum) ? "at least " : ""}${percent(share)} of the tokens${share < 100 ? "; the rest of the sum is not" : ""}`;
  return [
    `Of ${plural(read.length, "run")} with a figure ${count(sum.verified)} ${agreed(sum.verified, "is", "are")} verified${tokens}. `,
    inherited && `${plural(inherited, "more run")} ${agreed(inherited, "has a verdict", "have verdicts")} of another tool. `,
    unbounded && `Of ${plural(unbounded, "figure")} nobody knows whether ${agreed(unbounded, "it is", "they are")} exact: ${agreed(unbounded, "it is", "they are")} counted as ${agreed(unbounded, "it stands", "they stand")}. `,
    ranged && `${plural(ranged, "run")} shared minutes with others and ${agreed(ranged, "counts", "count")} with what was used at least and at most: such a sum is a range. `,
    sum.untold.some(Boolean) && "Kinds that another tool left out are unknown, and no zero: a sum that lacks them is so much or more. ",
    unread.length && `${plural(unread.length, "run")} of these days ${agreed(unread.length, "has", "have")} no figure yet and ${agreed(unread.length, "is", "are")} in no sum. `,
    "Costs are list prices as the files have them, not the bill",
    sum.costless ? `; ${plural(sum.costless, "run")} with a figure ${agreed(sum.costless, "has", "have")} none; pricing: on gives one to those that are exact and have list prices.` : ".",
  ].filter(Boolean);
}

function agreed(number, one, more) {
  return number === 1 ? one : more;
}

function costNote(read) {
  return read.some((run) => isDecimal(run.cost) && shares(run).length > 1) && note("A file has one cost for all of its models. So a cost stands here only for runs of a single model.");
}

// ------------------------------------------------------------------------------------------- charts and tables

function measureChoice(fill) {
  const onchange = (event) => {
    measure = event.target.value;
    fill();
  };
  const options = Object.entries(MEASURES).map(([value, { title }]) => el("option", { value, selected: value === measure }, title));
  return el("p", { class: "field" }, el("label", { for: "measure" }, "Charts show"), el("select", { id: "measure", onchange }, options));
}

function usageChart(key, noun, sums) {
  const { title, unit } = MEASURES[measure];
  if (measure === "cost" && !sums.some(({ costs }) => costs.length)) return note("No file of these runs has a cost.");
  const shown = key === "day" ? everyDay(sums) : largest(sums);
  const labels = shown.map(labelOf);
  const top = shown.reduce((one, other) => (weight(other) > weight(one) ? other : one));
  const says = `${title} by ${noun}, ${labels.length} bars. The largest is ${labelOf(top)}.`;
  return chart({ kind: "stacked", across: key !== "day", title: `${title} by ${noun}`, says, labels, unit, series: seriesOf(shown),
    x: key === "day" ? "UTC day" : undefined });
}

function seriesOf(shown) {
  const low = (kind) => shown.map((sum) => sum.low[kind]);
  const more = (name, extra) => (shown.some((sum) => extra(sum) > 0) ? [{ name, values: shown.map(extra), colour: "--equal" }] : []);
  if (measure === "cost") return [{ name: "Cost at list prices", values: shown.map(({ costs }) => asNumber(sumOf(costs))) }];
  if (measure === "calls") return [{ name: "Calls", values: low(3) }, ...more("up to, in shared minutes", ({ low: at, high }) => high[3] - at[3])];
  return [
    { name: "Tokens in, not cached", values: shown.map(({ low: at }) => Math.max(0, at[0] - at[2])) },
    { name: "Tokens in, cached", values: low(2) },
    { name: "Tokens out", values: low(1) },
    ...more("up to, in shared minutes", ({ low: at, high }) => high[0] + high[1] - at[0] - at[1]),
  ];
}

function asNumber(text) {
  return text === null ? null : Number(text);
}

function weight(sum) {
  if (measure === "cost") return Number(sumOf(sum.costs) ?? 0);
  return measure === "calls" ? sum.high[3] : sum.high[0] + sum.high[1];
}

/** The largest first; where there are too many for a chart, the rest in one. The table has each. */
function largest(sums) {
  const sorted = [...sums].sort((one, other) => weight(other) - weight(one));
  if (sorted.length <= MOST_BARS) return sorted;
  const rest = sorted.slice(MOST_BARS - 1);
  const added = (side) => USED.map((_, kind) => rest.reduce((sum, each) => sum + each[side][kind], 0));
  return [...sorted.slice(0, MOST_BARS - 1), { shown: `${rest.length} others`, low: added("low"), high: added("high"), costs: rest.flatMap(({ costs }) => costs) }];
}

function everyDay(sums) {
  const found = new Map(sums.map((sum) => [sum.name, sum]));
  return daysOf(found.keys()).map((name) => found.get(name) ?? { name, low: [0, 0, 0, 0], high: [0, 0, 0, 0], costs: [] });
}

function labelOf({ name, shown }) {
  return shown ?? name ?? "(not told)";
}

function sumsTable(key, noun, sums) {
  const kind = (index, title) => ({ key: USED[index], title, numeric: true, value: ({ high }) => high[index], cell: (sum) => sumText(sum, index) });
  const name = { key, title: noun[0].toUpperCase() + noun.slice(1), value: (sum) => sum.name, cell: labelOf };
  const runs = [
    { key: "runs", title: "Runs", numeric: true, value: (sum) => sum.runs },
    { key: "verified", title: "Verified", numeric: true, value: ({ verified }) => verified },
  ];
  const money = [
    { key: "cost_usd", title: "Cost", numeric: true, value: ({ costs }) => asNumber(sumOf(costs)), cell: ({ costs }) => dollars(sumOf(costs)), saved: ({ costs }) => sumOf(costs) },
    { key: "verified_percent", title: "Tokens verified", numeric: true, value: verifiedShare, cell: (sum) => percent(verifiedShare(sum)) },
  ];
  const bounds = USED.flatMap((used, index) => ["low", "high"].map((side) => ({ key: `${used}_${side}`, numeric: true, value: (sum) => sum[side][index] })));
  const { start, end } = range();
  return table({ caption: `Usage by ${noun}`, columns: [name, ...runs, kind(0, "Tokens in"), kind(2, "of them cached"), kind(1, "Tokens out"), kind(3, "Calls"), ...money],
    held: [name, ...runs, ...bounds, ...money], rows: sums, sorted: key === "day" ? { key, down: true } : { key: "tokens_in", down: true }, name: `usage-by-${noun}-${start}-${end}` });
}
