// How all runs stand: what is verified, what waits, and what a person has to look at.

view("", "Board", (main) => {
  main.append(
    section("How the runs stand", el("p", { class: "lead" }, standing()), groupCards()),
    lookAt(),
    waiting(),
    byAge(),
    byFramework(),
  );
});

/** What a person wants to know, in a sentence. */
function standing() {
  const { verified, waiting, broken, missed } = totals();
  const all = data.runs.length;
  if (!all) return data.board.invalid ? "There is no valid run yet." : "There is no run yet.";
  return `${verdictsOf({ verified, waiting, broken, missed }, all)}${differentText()}`;
}

/** A verdict is only as good as what it follows from. */
function differentText() {
  const different = new Set(data.differences.map(({ path }) => path)).size;
  return different ? ` The ${different === 1 ? "file of one run does" : `files of ${count(different)} runs do`} not follow from ${different === 1 ? "its" : "their"} evidence.` : "";
}

function verdictsOf({ verified, waiting, broken, missed }, all) {
  if (verified === all) return all === 1 ? `The one run is verified${heldText()}.` : `All ${count(all)} runs are verified${heldText()}.`;
  const rest = [
    waiting && `${count(waiting)} ${waiting === 1 ? "waits" : "wait"} for a verdict`,
    broken && `${count(broken)} ${broken === 1 ? "needs" : "need"} a look`,
    missed && `${count(missed)} ${missed === 1 ? "was" : "were"} not settled before the cutoff`,
  ].filter(Boolean);
  const last = rest.pop();
  return `${count(verified)} of ${plural(all, "run")} ${verified === 1 ? "is" : "are"} verified${heldText()}; ${rest.length ? `${rest.join(", ")} and ${last}` : last}.`;
}

/** How the verdicts are held. What another tool verified is said apart: this one has not shown that it is right. */
function heldText() {
  const told = Object.keys(GRADES).map((grade) => data.board[grade] && `${count(data.board[grade])} ${grade}`);
  const inherited = data.board.inherited && `${count(data.board.inherited)} by another tool`;
  const parts = [...told, inherited].filter(Boolean);
  return parts.length ? ` (${parts.join(", ")})` : "";
}

function totals() {
  return Object.fromEntries(data.board.groups.map(({ group, total }) => [group, total]));
}

function groupCards() {
  const all = totals();
  return el("ul", { class: "cards" }, Object.entries(GROUPS).map(([group, { title, sign, says }]) =>
    el("li", {}, el("a", { class: `card ${group}`, href: filteredAt("runs", { group }) },
      el("span", { class: "title" }, el("span", { class: "sign", "aria-hidden": "true" }, sign), title),
      el("span", { class: "total" }, count(all[group] ?? 0)),
      el("span", { class: "says" }, says)))));
}

/** Breaks that nobody has closed, the oldest first, and files that cannot be used. */
function lookAt() {
  const broken = data.runs.filter(({ group }) => group === "broken");
  if (!broken.length && !data.invalid.length && !data.errors.length && !data.differences.length) return section("To look at", note("Nothing."));
  return section("To look at", errorsTable(), findingsTable("Files that do not follow from their evidence", "differences", data.differences),
    findingsTable("Files that cannot be used", "invalid-files", data.invalid), broken.length > 0 && table({
    caption: "Open breaks, the oldest first",
    name: "open-breaks",
    rows: broken,
    page: 10,
    sorted: { key: "age", down: true },
    columns: [RUN, STATUS,
      { key: "age", title: "Age", value: ageOf, cell: (run) => span(ageOf(run)), numeric: true },
      { key: "reasons", title: "Why", value: reasonsOf },
      { key: "message", title: "In its file", value: ({ message }) => message, prose: true },
    ],
  }));
}

const RUN = { key: "run", title: "Run", value: nameOf, cell: runLink };
const STATUS = { key: "status", title: "Status", value: statusLabel, cell: badge };

function findingsTable(caption, name, rows) {
  return rows.length > 0 && table({
    caption,
    name,
    rows,
    page: 10,
    columns: [
      { key: "path", title: "File", value: ({ path }) => path },
      { key: "line", title: "Line", value: ({ line }) => line, numeric: true },
      { key: "column", title: "Column", value: ({ column }) => column, numeric: true },
      { key: "pointer", title: "Member", value: ({ pointer }) => pointer },
      { key: "message", title: "What is wrong", value: ({ message }) => message, prose: true },
    ],
  });
}

function errorsTable() {
  return data.errors.length > 0 && table({
    caption: "Errors",
    rows: data.errors,
    page: 10,
    columns: [
      { key: "code", title: "Error", value: ({ code }) => words(code) },
      { key: "message", title: "What happened", value: ({ message }) => message, prose: true },
      { key: "remedy", title: "What to do", value: ({ remedy }) => remedy, prose: true },
    ],
  });
}

function waiting() {
  const rows = data.runs.filter(({ group }) => group === "waiting");
  return section("Waiting", rows.length ? table({
    caption: "What waits, and for when",
    name: "waiting",
    rows,
    page: 10,
    sorted: { key: "due", down: false },
    columns: [RUN, STATUS,
      instants("ended", "Ended", ({ end }) => end),
      instants("due", "Due", ({ due }) => due),
      { key: "next", title: "What happens next", value: ({ next }) => next, prose: true },
    ],
  }) : note("Nothing waits."));
}

function byAge() {
  const { bands, groups } = data.board;
  const of = (group) => groups.find((each) => each.group === group)?.by_age ?? bands.map(() => 0);
  const names = Object.entries(GROUPS);
  return section("By age", chart({
    kind: "stacked",
    title: "Runs by the time since they ended",
    says: `${standing()} Bars from the left: ${bands.map((band, index) => `${band}, ${plural(sum(names.map(([group]) => of(group)[index])), "run")}`).join("; ")}.`,
    labels: bands,
    series: names.map(([group, { title }]) => ({ name: title, values: of(group), colour: `--${group}` })),
    x: "Age",
    y: "Runs",
  }));
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}

function byFramework() {
  const group = (name) => ({ key: name, title: GROUPS[name].title, value: (row) => row[name], numeric: true,
    cell: (row) => (row[name] ? el("a", { href: filteredAt("runs", { framework: row.framework, group: name }) }, count(row[name])) : "0") });
  return section("By framework", table({
    caption: "Runs of each framework",
    name: "frameworks",
    rows: data.board.frameworks,
    columns: [
      { key: "framework", title: "Framework", value: ({ framework }) => framework, cell: ({ framework }) => el("a", { href: filteredAt("runs", { framework }) }, framework) },
      ...Object.keys(GROUPS).map(group),
      { key: "invalid", title: "Invalid files", value: ({ invalid }) => invalid, numeric: true },
    ],
  }));
}
