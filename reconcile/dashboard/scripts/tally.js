// Sums over runs. Where minutes are shared a run has no exact figure: it counts with its bounds, and so do sums it is in.

const USED = ["tokens_in", "tokens_out", "cached_tokens", "api_calls"];

/** What a run used, at least and at most. */
function boundsOf(run) {
  return run.exact || !run.bounds ? [run.figure, run.figure] : run.bounds;
}

/** Runs that ended on days of the range, with a figure and without: where no read has shown usage yet, a zero is none. */
function runsInRange() {
  const { start, end } = range();
  const there = data.runs.filter((run) => day(run.end) >= start && day(run.end) <= end);
  const isRead = (run) => run.figure && run.status !== "data_not_available";
  return { there, read: there.filter(isRead), unread: there.filter((run) => !isRead(run)) };
}

function daysOfRuns() {
  return extent(data.runs.map(({ end }) => [day(end), day(end)]));
}

/** A run's usage by model as `[name, low, high]`: under no name what is told of no model. */
function shares(run) {
  const [low, high] = boundsOf(run);
  const told = run.exact ? (run.by_model ?? []).filter(([model]) => data.models[model] !== undefined) : [];
  const rest = low.map((value, kind) => value === null ? null : value - told.reduce((sum, [, ...usage]) => sum + usage[kind], 0));
  if (!told.length || rest.some((value) => value < 0)) return [[null, low, high]];
  const named = told.map(([model, ...usage]) => [data.models[model], usage, usage]);
  return rest.some(Boolean) ? [...named, [null, rest, rest]] : named;
}

/** Sums by name. `parts(run)` are `[name, low, high]`, each counted under its name; a run's cost only where it is all of one. */
function tallied(runs, parts) {
  const sums = new Map();
  for (const run of runs) {
    const found = parts(run);
    for (const [name, low, high] of found) {
      if (!sums.has(name)) sums.set(name, { name, runs: 0, verified: 0, verifiedTokens: 0, low: [0, 0, 0, 0], high: [0, 0, 0, 0], untold: [0, 0, 0, 0], costs: [], costless: 0 });
      addTo(sums.get(name), run, low, high, found.length === 1);
    }
  }
  return [...sums.values()];
}

function addTo(sum, run, low, high, whole) {
  sum.runs += 1;
  low.forEach((value, kind) => { sum.low[kind] += value ?? 0; });
  high.forEach((value, kind) => { sum.high[kind] += value ?? 0; });
  low.forEach((value, kind) => { sum.untold[kind] += value === null ? 1 : 0; });
  if (run.status === "verified") {
    sum.verified += 1;
    sum.verifiedTokens += low[0] + low[1];
  }
  if (whole && isDecimal(run.cost)) sum.costs.push(run.cost);
  else sum.costless += 1;
}

/** How much of the tokens is verified, in per cent, at least: never rounded up to all of it. */
function verifiedShare({ verifiedTokens, high }) {
  const all = high[0] + high[1];
  return all ? Math.floor((1000 * verifiedTokens) / all) / 10 : null;
}

function isRange({ low, high }) {
  return low.some((value, kind) => value !== high[kind]);
}

/** A kind of a sum: a question mark where nobody told it, and at least what was told where some did. */
function sumText({ runs, low, high, untold }, kind) {
  if (untold[kind] === runs) return "?";
  return `${lowToHigh(low[kind], high[kind])}${untold[kind] ? " or more" : ""}`;
}

/** `1,000 to 1,500`, or one number where both are one. */
function lowToHigh(low, high) {
  return low === high ? count(low) : `${count(low)} to ${count(high)}`;
}
