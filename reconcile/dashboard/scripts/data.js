// What the page holds, unpacked: on the way here it is as small as it can be.

const data = unpacked(JSON.parse(document.getElementById("data").textContent));

function unpacked(found) {
  return { ...found, runs: found.runs.map((run) => unpackedRun(run, found)) };
}

/** A run with its path and texts, and every row of its timeline, its observations and its neighbours whole. */
function unpackedRun(run, { root, texts, runs }) {
  const { window, minutes, minutes_each: width } = run;
  return {
    ...run,
    path: `${root}/${run.framework}/${run.run_id}/metrics.json`,
    rests: texts[run.rests] ?? null,
    message: texts[run.message] || null,
    minutes: minutes?.map(([part, ...rest]) => [window[0] + part * width * 60, ...rest]) ?? null,
    observations: run.observations.map((each) => (each.length < 10 ? [...each, ...each.slice(2)] : each)),
    neighbours: run.neighbours.map((each) => (typeof each === "number" ? [each, `${runs[each].framework}/${runs[each].run_id}`, ...runs[each].window, false] : each)),
  };
}
