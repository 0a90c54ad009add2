// The address says what is shown: the view behind the #, with its filters, and the range of days before it. All of it is fit
// for a bookmark.

const LAST_DAYS = 7;
const views = new Map();

/** A view: its name in the address, its title, and `render(main, rest)` with the parts of the address behind its name.
 *  `listed: false` keeps it out of the navigation. */
function view(name, title, render, { listed = true } = {}) {
  views.set(name, { title, render, listed });
}

/** The address of a view, each part of it made safe. */
function at(...parts) {
  return `#/${parts.map((part) => encodeURIComponent(String(part).replace(/\p{Cs}/gu, "\ufffd"))).join("/")}`;
}

/** The same with filters: an object of texts, of which empty ones are left out. */
function filteredAt(name, filters) {
  const asked = new URLSearchParams(Object.entries(filters).filter(([, value]) => value));
  return `${at(name)}${String(asked) && `?${asked}`}`;
}

/** The parts of the address behind the #; one that nobody can decode is shown as it is. */
function place() {
  return location.hash.split("?", 1)[0].replace(/^#\/?/, "").split("/").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
}

/** The filters that the address names, as URLSearchParams. */
function filters() {
  return new URLSearchParams(location.hash.includes("?") ? location.hash.slice(location.hash.indexOf("?")) : "");
}

/** Put a view's filters into the address, where its view shows them already. */
function keep(name, chosen) {
  history.replaceState(null, "", filteredAt(name, chosen));
  drawn = location.href;
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

let drawn = null;

/** Somebody followed a link or went back. A browser may say so twice. */
function moved() {
  if (location.href === drawn) return;
  draw();
  scrollTo(0, 0);
  document.getElementById("main").focus({ preventScroll: true });
}

/** Draw the view that the address names. */
function draw() {
  const [name, ...rest] = place();
  const known = views.has(name) ? name : "";
  const { title, render } = views.get(known);
  const main = document.getElementById("main");
  drawn = location.href;
  document.title = titled(title);
  forgetCharts();
  main.replaceChildren();
  render(main, rest);
  navigation(known === "run" ? "runs" : known);
}

function titled(title) {
  return `${printable(title)} · LLM usage, reconciled`;
}

function navigation(current) {
  const links = [...views].filter(([, { listed }]) => listed).map(([name, { title }]) =>
    el("li", {}, el("a", { href: at(name), "aria-current": name === current && "page" }, title)));
  document.getElementById("views").replaceChildren(...links);
}
