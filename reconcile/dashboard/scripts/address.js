// The address says what is shown: the view behind the #, the range of days behind the ?, both fit for a bookmark.

const LAST_DAYS = 7;
const views = new Map();

/** A view: its name in the address, its title, and `render(main, rest)` with the parts of the address behind its name.
 *  `listed: false` keeps it out of the navigation. */
function view(name, title, render, { listed = true } = {}) {
  views.set(name, { title, render, listed });
}

/** The address of a view, each part of it made safe. */
function at(...parts) {
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

/** The parts of the address behind the #; one that nobody can decode is shown as it is. */
function place() {
  return location.hash.replace(/^#\/?/, "").split("/").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
}

/** The days that are asked for, both included: those of the address, else the last seven before the page was made. */
function range() {
  const asked = new URLSearchParams(location.search);
  const made = data.generated_at;
  const end = valid(asked.get("end_date")) ?? day(made);
  const start = valid(asked.get("start_date")) ?? shifted(end, 1 - LAST_DAYS);
  return start <= end ? { start, end } : { start: end, end: start };
}

function valid(text) {
  if (text === null || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return null;
  const found = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(found.getTime()) && found.toISOString().startsWith(text) ? text : null;
}

function shifted(text, days) {
  return day(Date.parse(`${text}T00:00:00Z`) / 1000 + days * 86400);
}

/** Put a range into the address and draw again. */
function setRange(start, end) {
  const asked = new URLSearchParams(location.search);
  asked.set("start_date", start);
  asked.set("end_date", end);
  history.replaceState(null, "", `?${asked}${location.hash}`);
  draw();
}

/** Draw the view that the address names. */
function draw({ focus = false } = {}) {
  const [name, ...rest] = place();
  const known = views.has(name) ? name : "";
  const { title, render } = views.get(known);
  const main = document.getElementById("main");
  forgetCharts();
  main.replaceChildren();
  render(main, rest);
  document.title = `${title} · LLM usage, reconciled`;
  navigation(known === "run" ? "runs" : known);
  if (focus) main.focus();
}

function navigation(current) {
  const links = [...views].filter(([, { listed }]) => listed).map(([name, { title }]) =>
    el("li", {}, el("a", { href: at(name), "aria-current": name === current && "page" }, title)));
  document.getElementById("views").replaceChildren(...links);
}
