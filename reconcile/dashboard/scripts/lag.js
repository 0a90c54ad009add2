// The reporting lag, as `reconcile lag` says it: how old runs are when their figures are complete, each origin of reads by itself.

const ORIGINS = {
  ours: "Reads of our own",
  another_tool: "Reads of another tool, kept apart: its windows began and ended between minutes",
};
const LEFT_OUT = {
  unread: "never read",
  edited: "read before its times were changed",
  no_usage: "without any usage, which may be late or may never have been",
};

function lagParts(lag) {
  const curves = lag?.curves ?? [];
  if (!curves.length) return [note("No run was read yet: nothing is known of the delay."), leftOut(lag)];
  return [...curves.flatMap(curveParts), leftOut(lag)];
}

function curveParts(curve) {
  const title = ORIGINS[curve.origin] ?? words(curve.origin);
  const fewest = curve.quantiles[0]?.runs_needed ?? 0;
  const facts = `${plural(curve.runs, "run")} of ${plural(curve.days, "day")}, ${plural(curve.reads, "kept read")}. ${plural(curve.final, "figure")} final, `
    + `${count(curve.proven)} of them proven by recorded calls; ${count(curve.seen_short)} read before they were complete. `
    + `Ages count from the end of a run's window; below the youngest read, at ${count(curve.youngest_read_minutes)} min, nothing is known.`;
  const known = curve.points.filter(({ runs, low }) => runs && low !== null);
  const shown = curve.final < fewest || !known.length
    ? [note(`Too few to tell the delay: it takes ${plural(fewest, "final figure")} or more.`)]
    : [quantilesTable(curve, title.replace(/,.*/, "")), curveChart(curve, title.replace(/,.*/, ""))];
  return [el("h3", {}, title), note(facts), ...shown];
}

/** Between two ages the share is at least what it was, and at most what it will be: so the steps of a band are drawn. */
function curveChart(curve, title) {
  const known = curve.points.map(({ runs }) => runs > 0);
  const points = curve.points.slice(known.indexOf(true), known.lastIndexOf(true) + 1);
  const last = points.at(-1);
  const end = last.share === null ? `no estimate, at least ${percent(tenths(last.low))}` : percent(tenths(last.share));
  return chart({
    kind: "line", unit: "percent", title: `Share of runs that are complete by age: ${title}`, x: "age", y: "complete", most: 100,
    says: `Share of runs whose figure is complete, by age, with its 95 % band. At ${span(last.minutes)}: ${end}.`,
    labels: points.map(({ minutes }) => span(minutes)),
    series: [{ name: "Complete", values: points.map(({ share }) => tenths(share)), stepped: true,
      band: { name: "95 % band", low: points.map(({ low }) => tenths(low)), high: points.map(({ high }) => tenths(high, Math.ceil)) } }],
  });
}

/** Per cent in tenths, rounded so that a band only widens. */
function tenths(share, rounded = Math.floor) {
  if (share === null || share === undefined) return null;
  return rounded(share * 1000 + (rounded === Math.ceil ? -1e-9 : 1e-9)) / 10;
}

function quantilesTable(curve, title) {
  const minutes = (key, heading, value, cell) => ({ key, title: heading, numeric: true, value, cell });
  const columns = [
    { key: "share", title: "Complete", value: ({ share }) => share, cell: ({ share }) => `${Math.round(100 * share)} %` },
    { key: "minutes", title: "Age", value: (row) => row.minutes, cell: (row) => quantileAge(row, curve), prose: true },
    minutes("low_minutes", "Band, above", (row) => row.low_minutes, (row) => (row.high_minutes === null ? "–" : row.low_minutes === null ? "–" : `${count(row.low_minutes)} min`)),
    minutes("high_minutes", "Band, up to", (row) => row.high_minutes, (row) => (row.high_minutes === null ? "–" : `${count(row.high_minutes)} min`)),
  ];
  return table({ caption: `How old runs are when they are complete: ${title}`, columns, rows: curve.quantiles, name: `lag-${curve.origin}` });
}

function quantileAge(quantile, curve) {
  if (quantile.high_minutes === null) {
    return curve.final < quantile.runs_needed
      ? `not known: it takes ${plural(quantile.runs_needed, "run")} or more, and ${count(curve.final)} ${agreed(curve.final, "is", "are")} final`
      : "not known: too few runs were complete when they were read";
  }
  if (quantile.minutes === null) return "no estimate";
  return `${quantile.minutes <= curve.youngest_read_minutes ? "at most" : "by"} ${count(quantile.minutes)} min`;
}

/** Runs that nothing is learnt from. */
function leftOut(lag) {
  const said = Object.entries(lag?.left_out ?? {}).filter(([, number]) => number).map(([reason, number]) => `${plural(number, "run")} ${LEFT_OUT[reason] ?? words(reason)}`);
  if (lag?.invalid) said.push(plural(lag.invalid, "invalid file"));
  return said.length ? note(`Left out: ${said.join("; ")}.`) : null;
}
