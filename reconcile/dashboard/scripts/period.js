// Which days are shown: a form that reads them from the address and puts them there, and what is said where they hold nothing.

/** A form for the range of days. `known` is the first and last day of the data, as `{first, last}`, or null where it has none. */
function periodForm(known) {
  const { start, end } = range();
  const first = dateInput("start_date", "First day", start);
  const last = dateInput("end_date", "Last day", end);
  const today = day(data.generated_at);
  const show = (event) => {
    event.preventDefault();
    showDays(first.input.value || start, last.input.value || end, "show_days");
  };
  return el("form", { class: "period", "aria-label": "Days that are shown, in UTC", onsubmit: show },
    first.node, last.node,
    el("button", { type: "submit", id: "show_days" }, "Show these days"),
    quick("last_7", "Last 7 days", shifted(today, -6), today),
    quick("last_30", "Last 30 days", shifted(today, -29), today),
    known && quick("all_days", "All of the data", known.first, known.last));
}

function dateInput(id, name, value) {
  const input = el("input", { type: "date", id, value });
  return { input, node: el("span", { class: "field" }, el("label", { for: id }, name), input) };
}

function quick(id, text, start, end) {
  const { start: from, end: to } = range();
  const pressed = from === start && to === end;
  return el("button", { type: "button", id, "aria-pressed": String(pressed), onclick: () => showDays(start, end, id) }, text);
}

/** Draw with other days. The form is drawn anew with all else, so the focus is put back where it was. */
function showDays(start, end, focus) {
  setRange(...[start, end].sort());
  (document.getElementById(focus) ?? document.getElementById("main")).focus();
}

/** `known` as `{first, last}` of days or periods `[first, last]`; null of none. */
function extent(pairs) {
  if (!pairs.length) return null;
  const reduced = (ends, wins) => ends.reduce((one, other) => (wins(other, one) ? other : one));
  return { first: reduced(pairs.map(([first]) => first), (a, b) => a < b), last: reduced(pairs.map(([, last]) => last), (a, b) => a > b) };
}

/** What is said where no day of the range has any: `nothing` and `all` begin the sentences. */
function outside(nothing, all, { first, last }) {
  const { start, end } = range();
  return el("div", { class: "outside", role: "status" },
    el("p", {}, `${nothing} from ${start} to ${end}. ${all} from ${first} to ${last}.`),
    el("button", { type: "button", id: "show_all", onclick: () => showDays(first, last, "all_days") }, "Show all of them"));
}

/** `2 of 5` and such need one day each: every day of the range, or where that is over a year only those in `used`. */
function daysOf(used) {
  const { start, end } = range();
  const length = (Date.parse(end) - Date.parse(start)) / 86_400_000 + 1;
  if (length > 366) return [...used].sort();
  return Array.from({ length }, (_, days) => shifted(start, days));
}
