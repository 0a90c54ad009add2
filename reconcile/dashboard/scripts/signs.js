// How runs are named and marked wherever they are shown: a colour is never the only sign.

const GROUPS = {
  verified: { title: "Verified", sign: "✓", says: "settled without a warning" },
  waiting: { title: "Waiting", sign: "…", says: "to be read, or to be read again" },
  broken: { title: "To look at", sign: "!", says: "settled with a warning, or failed" },
  missed: { title: "Missed", sign: "–", says: "not settled before the cutoff" },
};

const STATUSES = {
  verified: "verified",
  inherited: "inherited",
  pending: "pending",
  data_not_available: "no data yet",
  warning: "warning",
  failed: "failed",
  skipped: "never read",
};

const KINDS = ["input tokens", "output tokens", "cached input tokens", "calls"];

/** How a verdict is held, strongest first. */
const GRADES = {
  proven: "all of its own calls and tokens were reported, and nothing else",
  supported: "its own calls were reported; or its tokens, where it told no calls",
  assumed: "it recorded nothing that could contradict the figure",
};

/** Where a run stands, in a word and a sign. What another tool verified is told apart from what this one did. */
function badge(run) {
  const inherited = run.status === "inherited";
  return el("span", { class: `badge ${inherited ? "inherited" : run.group}` },
    el("span", { class: "sign", "aria-hidden": "true" }, inherited ? "○" : GROUPS[run.group].sign), statusLabel(run));
}

/** How the verdict is held comes first: `proven (verified)`. */
function statusLabel({ status, proof }) {
  const word = STATUSES[status] ?? status;
  return proof ? `${proof} (${word})` : word;
}

/** A column of instants, from a function of a row to seconds; null where there is none. */
function instants(key, title, value) {
  const cell = (row) => (value(row) ? el("time", { datetime: iso(value(row)) }, moment(value(row))) : "–");
  return { key, title, value, cell, saved: (row) => value(row) && iso(value(row)) };
}

function nameOf(run) {
  return `${run.framework}/${run.run_id}`;
}

function addressOf(run) {
  return at("run", run.framework, run.run_id);
}

function runLink(run) {
  return el("a", { href: addressOf(run) }, nameOf(run));
}

/** Why it stands there: the codes in words. */
function reasonsOf(run) {
  return run.reasons.map(words).join(", ");
}

function ageOf(run) {
  return (data.generated_at - run.end) / 60;
}

/** Minutes from the end of its window to its verdict; null where it has none. */
function minutesToVerify(run) {
  return run.verified ? (run.verified - run.window[1]) / 60 : null;
}

/** The names of what it used: of the models that its rows name. */
function modelsOf(run) {
  const rows = run.by_model.length ? run.by_model.map(([model]) => model) : (run.minutes ?? []).map(([, , model]) => model);
  return [...new Set(rows)].filter((model) => model !== null).map((model) => data.models[model]);
}

/** One kind of a figure, or both its bounds where it is not exact; a dash where it was never read, a question mark where
 *  that kind was not told. */
function figureOf(run, kind) {
  if (!run.figure) return "–";
  if (run.figure[kind] === null) return "?";
  const [low, high] = run.bounds ? run.bounds.map((usage) => usage[kind]) : [run.figure[kind], run.figure[kind]];
  return low === high ? count(run.figure[kind]) : el("span", { class: "either" }, `${count(low)} to ${count(high)}`);
}
