// One run: where it stands and why, what it rests on, and what it was read from.

view("run", "Run", (main, [framework, ...rest]) => {
  const index = runIndex(framework, rest.join("/"));
  if (index === -1) {
    main.append(section("No such run", note(`This page holds no run ${[framework, ...rest].join("/")}. `, el("a", { href: at("runs") }, "All runs"))));
    return;
  }
  const run = data.runs[index];
  document.title = titled(nameOf(run));
  main.append(
    section(nameOf(run), verdict(run), beside(index)),
    section("Usage", usageTable(run), byModelTable(run)),
    section("Minutes", timeline(run), minutesTable(run), neighboursTable(run)),
    section("Reads", observationsTable(run)),
    section("Evidence", evidence(run)),
  );
}, { listed: false });

/** Addresses have no lone surrogates; names on disk may. */
function runIndex(framework, runId) {
  const wanted = at("run", framework, runId);
  return data.runs.findIndex((run) => addressOf(run) === wanted);
}

/** The runs before and after it in the order of the page. */
function beside(index) {
  const link = (text, other) => data.runs[other] && el("a", { href: addressOf(data.runs[other]), "aria-label": `${text}: ${nameOf(data.runs[other])}` }, text);
  return el("nav", { class: "beside", "aria-label": "Other runs" },
    link("Previous run", index - 1), el("a", { href: at("runs") }, "All runs"), link("Next run", index + 1));
}

function verdict(run) {
  return el("div", { class: `verdict ${run.group}` },
    el("p", {}, badge(run), run.reasons.length > 0 && `: ${reasonsOf(run)}`),
    run.message && el("p", {}, run.message),
    data.differences.some(({ path }) => path === run.path) && el("p", {}, "What its file says does not follow from the evidence beside it: see ", el("a", { href: at("") }, "the board"), "."),
    facts([
      ["Held", run.proof && GRADES[run.proof]],
      ["Rests on", run.rests],
      ["Next", run.next ?? "nothing: it is settled"],
      ["Verified", run.verified && `${moment(run.verified)}, ${span(minutesToVerify(run))} after its window`],
    ]));
}

/** Pairs of a name and what is so, without those that nothing tells. */
function facts(pairs) {
  return el("dl", {}, pairs.filter(([, value]) => value).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

function usageTable(run) {
  if (!run.figure) return note("It was never read, so there is no figure. ", recordedText(run));
  const number = (key, title, value) => ({ key, title, value, numeric: true });
  const figure = (kind) => run.figure[kind];
  const recorded = (kind) => run.recorded[kind];
  return el("div", { class: "stack" },
    !run.exact && note("The figure is not exact: other runs or unclaimed usage reach into its minutes. The truth lies within the bounds."),
    table({
      caption: "Recorded by the run, and reported by the provider",
      rows: KINDS.map((_, kind) => kind),
      columns: [
        { key: "kind", title: "Kind", value: (kind) => KINDS[kind] },
        number("recorded", "Recorded", recorded),
        number("reported", "Reported", figure),
        ...(run.bounds ? [number("low", "At least", (kind) => run.bounds[0][kind]), number("high", "At most", (kind) => run.bounds[1][kind])] : []),
        { ...number("difference", "Reported less recorded", (kind) => gapOf(recorded(kind), figure(kind))), cell: (kind) => signed(gapOf(recorded(kind), figure(kind))) },
      ],
    }),
    run.cost && note(`${dollars(run.cost)} by list prices, an estimate of its file.`));
}

function recordedText({ recorded }) {
  const told = KINDS.map((kind, index) => recorded[index] !== null && `${count(recorded[index])} ${kind}`).filter(Boolean);
  return told.length ? `The run itself recorded ${told.join(", ")}.` : "The run itself recorded nothing.";
}

function gapOf(recorded, figure) {
  return isTold(recorded) && isTold(figure) ? figure - recorded : null;
}

/** `+12`, `−12`, `0`. */
function signed(value) {
  if (value === null) return "–";
  return `${value > 0 ? "+" : value < 0 ? "−" : ""}${count(Math.abs(value))}`;
}

function byModelTable(run) {
  return run.by_model.length > 1 && table({
    caption: "By model",
    rows: run.by_model,
    columns: [
      { key: "model", title: "Model", value: ([model]) => modelName(model) },
      ...KINDS.map((kind, index) => ({ key: kind, title: capital(kind), value: (row) => row[index + 1], numeric: true })),
    ],
  });
}

function modelName(index) {
  return index === null ? "not told" : data.models[index];
}

function keyName(index) {
  return index === null ? "not told" : data.keys[index];
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function observationsTable(run) {
  if (!run.observations.length) return note("It was not read yet.");
  const apart = run.observations.some((row) => KINDS.some((_, index) => row[2 + index] !== row[6 + index]));
  return table({
    caption: apart ? "Every complete read that was kept; last, all usage of its minutes, whosever it is" : "Every complete read that was kept",
    rows: run.observations,
    columns: [
      instants("at", "Read", ([at]) => at),
      { key: "status", title: "Then", value: ([, status]) => words(status) },
      ...KINDS.map((kind, index) => ({ key: kind, title: capital(kind), value: (row) => row[2 + index], numeric: true })),
      ...(apart ? KINDS.map((kind, index) => ({ key: `all ${kind}`, title: `All ${kind}`, value: (row) => row[6 + index], numeric: true })) : []),
    ],
  });
}

/** How long it ran: below a minute in seconds. */
function lasted(seconds) {
  return seconds < 60 ? `${seconds} s` : span(seconds / 60);
}

/** What the verdict can be computed from again. */
function evidence(run) {
  const quiet = run.guard && `${plural(run.guard[1], "request")} that no run claims, in the ${plural(run.guard[0], "nearest unclaimed minute")}`;
  return el("div", { class: "stack" },
    facts([
      ["File", el("code", {}, run.path)],
      ["Ran", `${moment(run.start)} to ${moment(run.end)}, ${lasted(run.end - run.start)}`],
      ["Window", `${moment(run.window[0])} to ${moment(run.window[1])}, ${plural((run.window[1] - run.window[0]) / 60, "whole minute")}`],
      [run.keys.length === 1 ? "Key" : "Keys", run.keys.map(keyName).join(", ")],
      ["Models", modelsOf(run).join(", ")],
      ["Quiet around it", quiet],
      ["Figure read", run.reconciled && moment(run.reconciled)],
      ["SHA-256", run.evidence && el("code", {}, run.evidence)],
    ]),
    !run.evidence && note("No evidence is kept beside it, so nobody can compute the verdict again."));
}
