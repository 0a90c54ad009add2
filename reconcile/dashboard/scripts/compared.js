// What a comparison says beside its figures: why they may differ, what is not in them, what is billed; and how all of it is saved.

const SPLIT = ["quantity", "price", "unpriced", "rounding"];

function breakItem({ code, metric, explains, local, official, arithmetic, remedy }) {
  return el("li", {}, el("strong", {}, words(code)), ": ", differenceOf(explains), ` ${METRICS[metric] ?? metric} `, `(log ${figureText(local)}, provider ${figureText(official)})`,
    el("p", {}, sentence(arithmetic)), el("p", {}, "To do: ", sentence(remedy)));
}

function sentence(text) {
  const whole = String(text ?? "").replace(/\.+$/, "");
  return `${whole.slice(0, 1).toUpperCase()}${whole.slice(1)}.`;
}

/** The terms sum to the total, to the last digit, so they are shown to the last digit. */
function costDifference(terms) {
  if (!terms || !signOf(terms.total)) return null;
  const item = (name, amount) => el("div", {}, el("dt", {}, name), el("dd", {}, differenceOf(amount, (text) => text.replace("-", "−"))));
  return el("div", {}, el("h4", {}, "The difference in cost (USD)"),
    el("dl", { class: "terms" }, SPLIT.filter((term) => signOf(terms[term])).map((term) => item(term, terms[term])), item("total", terms.total)));
}

/** What the log or the provider has and what is held against nothing. */
function apartParts({ apart, unpriced, other_costs: costs, other_usage: usage, period }) {
  const some = (side) => Boolean(side.requests || side.total_tokens);
  const used = ({ requests, total_tokens: tokens }) => `${plural(requests, "request")}, ${plural(tokens, "token")}`;
  const lines = [
    some(apart.local) || some(apart.official) ? `Usage from ${period.compared_until} on, which is not final: log ${used(apart.local)}; provider ${used(apart.official)}` : null,
    period.costs_until < period.compared_until ? `Costs from ${period.costs_until} on: these days are not closed` : null,
    ...unpriced.map((each) => `UNPRICED in the log's cost: ${each.model ?? "calls without a model"}, ${used(each)}`),
    ...usage.map((each) => `Usage of ${each.endpoint}: ${count(each.quantity)} ${each.unit}${isTold(each.requests) ? ` in ${plural(each.requests, "request")}` : ""}`),
    ...costs.map((each) => `Cost of ${each.line_item ?? "no line item"}: ${each.amount} ${each.currency.toUpperCase()}`),
  ].filter(Boolean);
  return lines.length > 0 && el("div", {}, el("h4", {}, "Not in the comparison"), el("ul", {}, lines.map((line) => el("li", {}, `${line}.`))));
}

function billPart(bill) {
  if (!bill) return null;
  const invoice = isTold(bill.invoice_usd) && `Invoice: ${figureText(bill.invoice_usd)} USD, ${signOf(bill.difference_usd) > 0 ? "+" : ""}${figureText(bill.difference_usd)} against these costs.`;
  return el("div", {}, el("h4", {}, "The bill"), el("ul", {},
    el("li", {}, `Costs of closed days: ${figureText(bill.total_usd)} USD, of it ${figureText(bill.calls_usd)} for the models that were called and ${figureText(bill.other_usd)} for all else.`),
    invoice && el("li", {}, invoice),
    el("li", {}, "Tax, credits and refunds are on the invoice and in none of these figures.")));
}

// ------------------------------------------------------------------------------------------- downloads

/** JSON is the document itself, CSV its figures; of both only the rows that are shown, and every digit of them. */
function comparisonDownloads(found, title, rows) {
  const button = (kind, type, text) => el("button", { type: "button", onclick: () => save(`${fileName(title)}.${kind}`, type, text()) },
    el("span", { class: "hidden" }, `Download ${title} as `), kind.toUpperCase());
  return el("div", { class: "downloads", role: "group", "aria-label": `Download ${title}` }, el("span", { "aria-hidden": "true" }, "Download"),
    button("json", "application/json", () => `${JSON.stringify({ ...found, rows }, null, 2)}\n`),
    button("csv", "text/csv", () => asCsv(LONG, [...longOf("all", null, found), ...rows.flatMap((row) => longOf(found.by, row.name, row))])));
}

/** A line of the CSV: one metric of the whole or of a row. */
const LONG = [
  ...["of", "name", "metric"].map((key) => ({ key, value: (row) => row[key] })),
  ...["local", "official", "difference", "percent"].map((key) => ({ key, numeric: true, value: (row) => row[key] })),
  { key: "within", value: (row) => row.within },
];

function longOf(of, name, { local, official, difference, percent: share, tolerance }) {
  return Object.keys(METRICS).map((metric) => ({ of, name, metric, local: local?.[metric], official: official?.[metric],
    difference: difference?.[metric], percent: share?.[metric], within: tolerance?.[metric]?.within }));
}

function fileName(title) {
  return title.replace(/\.json$/, "").replace(/[^\p{L}\p{N}._-]+/gu, "_").slice(0, 100);
}
