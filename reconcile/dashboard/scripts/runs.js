// All runs in a table. Its filters are in the address, so that a link to it shows the same.

const FILTERS = ["text", "framework", "group", "proof", "status", "model"];

view("runs", "Runs", (main) => {
  const asked = filters();
  const chosen = Object.fromEntries(FILTERS.map((name) => [name, asked.get(name) ?? ""]));
  const place = el("div");
  const found = el("p", { class: "found", role: "status" });
  const show = () => {
    const rows = data.runs.filter(admitted(chosen));
    found.textContent = rows.length === data.runs.length ? `${rows.length > 1 ? "All " : ""}${plural(rows.length, "run")}.` : `${count(rows.length)} of ${plural(data.runs.length, "run")}.`;
    place.replaceChildren(runsTable(rows));
  };
  const controls = new Map(FILTERS.map((name) => [name, control(name, chosen, (value) => {
    chosen[name] = value;
    show();
    keep("runs", chosen);
  })]));
  const all = el("button", { type: "button", onclick: () => {
    for (const name of FILTERS) chosen[name] = controls.get(name).querySelector("input, select").value = "";
    show();
    keep("runs", chosen);
  } }, "Show all");
  show();
  main.append(section("Runs", el("form", { class: "filters", role: "search", "aria-label": "Filter the runs", onsubmit: (event) => event.preventDefault() },
    [...controls.values()], all), found, place));
});

const LABELS = { text: "Text", framework: "Framework", group: "Standing", proof: "Held", status: "Status", model: "Model" };

/** A value that the address names and no run has is offered as well: what is chosen can be seen. */
function control(name, chosen, change) {
  const id = `filter-${name}`;
  const label = el("label", { for: id }, LABELS[name]);
  if (name === "text") {
    return el("div", { class: "field wide" }, label, el("input", { id, type: "search", value: chosen.text, autocomplete: "off", placeholder: "run, reason or message",
      oninput: ({ target }) => change(target.value) }));
  }
  const known = choices(name);
  if (chosen[name] && !known.some(([value]) => value === chosen[name])) known.push([chosen[name], chosen[name]]);
  const options = [["", "all"], ...known].map(([value, text]) => el("option", { value, selected: value === chosen[name] }, text));
  return el("div", { class: "field" }, label, el("select", { id, onchange: ({ target }) => change(target.value) }, options));
}

function choices(name) {
  if (name === "group") return Object.entries(GROUPS).map(([value, { title }]) => [value, title.toLowerCase()]);
  if (name === "proof") return Object.keys(GRADES).map((grade) => [grade, grade]);
  if (name === "status") return Object.entries(STATUSES);
  const named = name === "framework" ? data.runs.map(({ framework }) => framework) : data.runs.flatMap(modelsOf);
  return [...new Set(named)].sort(collator.compare).map((value) => [value, value]);
}

/** Whether a run passes what is chosen. */
function admitted({ text, framework, group, proof, status, model }) {
  const wanted = text.trim().toLowerCase();
  return (run) =>
    (!framework || run.framework === framework)
    && (!group || run.group === group)
    && (!proof || run.proof === proof)
    && (!status || run.status === status)
    && (!model || modelsOf(run).includes(model))
    && (!wanted || [nameOf(run), reasonsOf(run), run.message ?? ""].some((each) => each.toLowerCase().includes(wanted)));
}

function runsTable(rows) {
  return table({ caption: "Runs, with what was reported of each", name: "runs", rows, columns: RUN_COLUMNS, held: RUN_FIELDS, sorted: { key: "ended", down: true } });
}

const usage = (key, title, kind) => ({ key, title, value: ({ figure }) => figure?.[kind], cell: (run) => figureOf(run, kind), numeric: true });

const RUN_COLUMNS = [
  RUN,
  STATUS,
  instants("ended", "Ended", ({ end }) => end),
  usage("tokens_in", "Tokens in", 0),
  usage("tokens_out", "Tokens out", 1),
  usage("cached_tokens", "Cached", 2),
  usage("api_calls", "Calls", 3),
  { key: "cost", title: "Cost", value: ({ cost }) => (cost ? Number(cost) : null), cell: ({ cost }) => dollars(cost), numeric: true },
  { key: "minutes_to_verify", title: "Time to verify", value: minutesToVerify, cell: (run) => (minutesToVerify(run) === null ? "–" : span(minutesToVerify(run))), numeric: true },
];

const bound = (key, side, kind) => ({ key, value: ({ bounds, figure }) => (bounds ? bounds[side][kind] : figure?.[kind]), numeric: true });

/** What a download holds of a run: whole figures and both bounds, instants in UTC. */
const RUN_FIELDS = [
  ...["framework", "run_id", "path", "proof", "status", "group"].map((key) => ({ key, value: (run) => run[key] })),
  { key: "reasons", value: ({ reasons }) => reasons.join(" ") },
  { key: "models", value: (run) => modelsOf(run).join(" ") },
  ...["start", "end", "verified"].map((key) => ({ key, value: (run) => run[key] && iso(run[key]) })),
  { key: "exact", value: ({ exact }) => exact },
  ...["tokens_in", "tokens_out", "cached_tokens", "api_calls"].flatMap((key, kind) => [
    { key, value: ({ figure }) => figure?.[kind], numeric: true }, bound(`${key}_low`, 0, kind), bound(`${key}_high`, 1, kind)]),
  { key: "cost_usd", value: ({ cost }) => cost, numeric: true },
  { key: "minutes_to_verify", value: minutesToVerify, numeric: true },
];
