// A run's minutes as bars, and beneath them, on the same axis, its window and those of its neighbours on the key.

const LANES = 30;

/** What is drawn: bars of tokens a minute, and a lane for each window, of which each leads to its run. */
function timeline(run) {
  const axis = axisOf(run);
  const lanes = run.neighbours.slice(0, LANES).map((neighbour) => neighbourLane(neighbour, axis));
  const more = run.neighbours.length - lanes.length;
  return el("figure", { class: "timeline" },
    el("figcaption", {}, `Tokens ${run.minutes_each > 1 ? `in every ${run.minutes_each} minutes` : "a minute"}, and whose minutes they are`),
    run.minutes ? bars(run, axis) : note(run.evidence ? "Its times were changed after it was read: what was read are other minutes, and they are not drawn." : "No evidence is kept, so its minutes cannot be drawn."),
    el("ol", { class: "lanes", "aria-label": "Windows on the same axis" }, lane(el("strong", {}, "This run"), run.window, axis, "own"), lanes),
    el("p", { class: "axis", "aria-hidden": "true" }, el("span", {}, moment(axis.start)), el("span", {}, moment(axis.end))),
    more > 0 && note(`${plural(more, "more neighbour")} in the table below.`));
}

/** Its own window with a margin, so that a neighbour of a whole day does not make it a line. */
function axisOf({ window: [start, end], neighbours }) {
  const margin = Math.max(120, Math.ceil((end - start) / 240) * 60);
  const first = Math.min(start, ...neighbours.map(([, , from]) => from));
  const last = Math.max(end, ...neighbours.map(([, , , until]) => until));
  return { start: Math.max(first, start - margin), end: Math.min(last, end + margin) };
}

function neighbourLane([index, name, start, end, gone], axis) {
  const run = data.runs[index];
  const text = `${run ? nameOf(run) : name}${gone ? " (its file is gone)" : ""}`;
  return lane(run ? el("a", { href: addressOf(run) }, text) : text, [start, end], axis, gone ? "gone" : "other");
}

function lane(name, [start, end], axis, kind) {
  const share = (at) => (100 * (Math.min(Math.max(at, axis.start), axis.end) - axis.start)) / (axis.end - axis.start);
  const bar = el("div", { class: `bar ${kind}` });
  bar.style.setProperty("--from", `${share(start)}%`);
  bar.style.setProperty("--to", `${share(end)}%`);
  return el("li", {}, el("div", { class: "name" }, el("span", {}, name), el("span", { class: "times" }, `${moment(start)} to ${moment(end)}`)),
    el("div", { class: "track", "aria-hidden": "true" }, bar));
}

// ------------------------------------------------------------------------------------------- the bars

const PARTS = [["input", "in"], ["output", "out"]];

function bars(run, axis) {
  const minutes = tokensByMinute(run.minutes);
  const most = Math.max(0, ...[...minutes.values()].map(sum));
  const each = run.minutes_each * 60;
  const drawing = svg("svg", { viewBox: `0 0 ${axis.end - axis.start} 100`, preserveAspectRatio: "none", role: "img", "aria-label": saysOf(run, minutes, most) });
  for (const [at, parts] of minutes) {
    let top = 100;
    for (const [index, [, kind]] of PARTS.entries()) {
      const height = most ? (100 * parts[index]) / most : 0;
      top -= height;
      drawing.append(svg("rect", { class: kind, x: at - axis.start + each * 0.08, y: top, width: each * 0.84, height }));
    }
  }
  return el("div", { class: "bars" },
    el("p", { class: "legend" }, PARTS.map(([name, kind]) => el("span", {}, el("span", { class: `swatch ${kind}`, "aria-hidden": "true" }), `${name} tokens`)),
      el("span", {}, `highest: ${count(most)} ${eachText(run)}`)),
    drawing);
}

function eachText({ minutes_each: each }) {
  return each === 1 ? "in a minute" : `in ${each} minutes`;
}

/** Input and output tokens of each minute, all keys and models together. */
function tokensByMinute(rows) {
  const minutes = new Map();
  for (const [at, , , input, output] of rows) {
    const before = minutes.get(at) ?? [0, 0];
    minutes.set(at, [before[0] + input, before[1] + output]);
  }
  return minutes;
}

function saysOf(run, minutes, most) {
  const busy = [...minutes.values()].filter((parts) => sum(parts) > 0).length;
  const others = run.neighbours.length ? `${plural(run.neighbours.length, "other run")} claimed some of them`
    : run.unclaimed ? "who else claims any of them is not known" : "no other run claimed any of them";
  return `Bars of the tokens ${eachText(run)}, from ${moment(run.window[0])} to ${moment(run.window[1])}: ${plural(busy, "bar")}, the highest of ${count(most)} tokens; ${others}.`;
}

function svg(tag, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

// ------------------------------------------------------------------------------------------- the same as tables

function minutesTable(run) {
  if (!run.minutes) return null;
  const node = el("details", { class: "numbers" }, el("summary", {}, "Numbers: its minutes"));
  node.addEventListener("toggle", () => node.append(table({
    caption: run.minutes_each === 1 ? "Rows of its minutes" : `Rows of its minutes, ${run.minutes_each} at a time`,
    name: "minutes",
    rows: run.minutes,
    columns: [
      instants("minute", "Minute", ([at]) => at),
      { key: "key", title: "Key", value: ([, key]) => keyName(key) },
      { key: "model", title: "Model", value: ([, , model]) => modelName(model) },
      ...KINDS.map((kind, index) => ({ key: kind, title: capital(kind), value: (row) => row[3 + index], numeric: true })),
    ],
  })), { once: true });
  return node;
}

function neighboursTable(run) {
  if (run.unclaimed) return note("The id of its key is not known here, and so it is not known which other runs claim its minutes.");
  if (!run.neighbours.length) return note("No other run claims any of its minutes on the key.");
  const window = run.window;
  return table({
    caption: "Runs that claim minutes of it on the key",
    name: "neighbours",
    rows: run.neighbours,
    page: 10,
    columns: [
      { key: "run", title: "Run", value: ([, name]) => name, cell: ([index, name]) => (data.runs[index] ? runLink(data.runs[index]) : name) },
      instants("start", "From", ([, , start]) => start),
      instants("end", "To", ([, , , end]) => end),
      { key: "shared_minutes", title: "Minutes shared", numeric: true,
        value: ([, , start, end]) => Math.max(0, Math.min(end, window[1]) - Math.max(start, window[0])) / 60 },
      { key: "file", title: "Its file", value: ([, , , , gone]) => (gone ? "gone or broken" : "there") },
    ],
  });
}
