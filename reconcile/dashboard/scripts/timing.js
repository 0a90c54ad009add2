// How long it takes until a figure is verified, and until the provider's figure is complete.

const TIMES = [30, 60, 90, 120, 150, 180, 240, 360, 720, 1440];
const VERDICTS = { verified: "Verified", inherited: "Verdict of another tool" };

view("timing", "Timing", (main) => {
  main.append(section("Time to verify", ...timeToVerify()), section("The reporting lag", ...lagParts(data.lag)));
});

/** From the end of a run to when its figure was verified, which tells of the passes as much as of the provider. */
function timeToVerify() {
  const times = Object.keys(VERDICTS).map((status) => ({ status, minutes: timesOf(status) })).filter(({ minutes }) => minutes.length);
  const total = times.reduce((sum, { minutes }) => sum + minutes.length, 0);
  const untimed = data.runs.filter(({ group }) => group === "verified").length - total;
  const missing = missingSentence(untimed);
  if (!times.length) return [note(untimed ? "No file has a time of its verdict. " : "No run is verified yet. ", missing)];
  const [first] = times;
  const labels = [...TIMES.map((most, index) => `${index ? span(TIMES[index - 1]) : "0"} to ${span(most)}`), `${span(TIMES.at(-1))} or more`];
  return [
    note("From the end of a run's window to its verdict: the minutes before a run is old enough, the wait for passes, and equal reads. ", missing),
    chart({ kind: "stacked", title: "Runs by the time it took to verify them", labels, x: "from the end of the window", y: "runs",
      says: `Times to verify of ${plural(total, "run")}. Half of the runs ${VERDICTS[first.status].toLowerCase()} took up to ${span(ranked(first.minutes, 0.5))}, nine in ten up to ${span(ranked(first.minutes, 0.9))}.`,
      series: times.map(({ status, minutes }) => ({ name: VERDICTS[status], values: binned(minutes) })) }),
    timesTable(times),
  ];
}

/** Sorted, without what cannot be. */
function timesOf(status) {
  const told = data.runs.filter((run) => run.status === status).map(minutesToVerify).filter((minutes) => Number.isFinite(minutes) && minutes >= 0);
  return told.sort((one, other) => one - other);
}

/** Those that take long are the last to be here. `untimed`: verified runs of which nothing tells when. */
function missingSentence(untimed) {
  const of = (group) => data.runs.filter((run) => run.group === group).length;
  const groups = [["waiting", "still waits", "still wait"], ["broken", "is broken", "are broken"], ["missed", "was missed", "were missed"]].filter(([group]) => of(group));
  const timeless = untimed ? `Of ${plural(untimed, "verified run")} the file does not tell when. ` : "";
  if (!groups.length) return timeless || "No run is missing.";
  return `${timeless}Missing are runs that are not verified: ${groups.map(([group, one, more]) => `${count(of(group))} ${agreed(of(group), one, more)}`).join(", ")}.${of("waiting") ? " Runs that take longest are among those that wait." : ""}`;
}

/** How many fall below each time and not below the one before. */
function binned(minutes) {
  const bins = Array(TIMES.length + 1).fill(0);
  for (const each of minutes) bins[TIMES.filter((most) => most <= each).length] += 1;
  return bins;
}

/** The smallest of the sorted values that so large a share of them does not exceed. */
function ranked(sorted, share) {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

function timesTable(times) {
  const at = (key, title, value) => ({ key, title, numeric: true, value, cell: (row) => span(value(row)), saved: (row) => Math.round(10 * value(row)) / 10 });
  const columns = [
    { key: "verdict", title: "Verdict", value: ({ status }) => VERDICTS[status] },
    { key: "runs", title: "Runs", numeric: true, value: ({ minutes }) => minutes.length },
    at("fastest_minutes", "Fastest", ({ minutes }) => minutes[0]),
    at("median_minutes", "Half by", ({ minutes }) => ranked(minutes, 0.5)),
    at("ninety_percent_minutes", "90 % by", ({ minutes }) => ranked(minutes, 0.9)),
    at("slowest_minutes", "Slowest", ({ minutes }) => minutes.at(-1)),
  ];
  return table({ caption: "Time to verify by verdict", columns, rows: times, name: "time-to-verify" });
}
