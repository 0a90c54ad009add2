// Tables that are sorted by their headings, shown a page at a time, and downloaded as they are shown.

const collator = new Intl.Collator("en", { numeric: true });
const orders = new Map();

/** A table with a caption. A column is `{key, title, value(row), cell(row), saved(row), numeric, prose}`: what it is sorted by, what it
 *  shows where that is another thing, and what a download holds where that is a third; `prose: true` gives it room for
 *  sentences. `sorted` is `{key, down}` or null: as the rows come. With a `name` its rows can be downloaded, all pages of them, under that name: its columns, or those of `held`. */
function table({ caption, columns, rows, sorted = null, page = 50, name = null, held = columns }) {
  const state = { rows, order: orders.get(caption) ?? sorted, from: 0 };
  const body = el("tbody");
  const pages = paging(state, page, () => fill(body, columns, state, page, pages));
  const heads = columns.map((column, index) => head(column, index, () => {
    state.order = turned(state.order, column);
    state.from = 0;
    orders.set(caption, state.order);
    arrange();
  }));
  const arrange = () => {
    state.rows = ordered(rows, columns, state.order);
    heads.forEach((each, index) => each.setAttribute("aria-sort", direction(state.order, columns[index])));
    fill(body, columns, state, page, pages);
  };
  arrange();
  return el("div", { class: "table" },
    el("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": `Table: ${caption}` },
      el("table", {}, el("caption", {}, el("span", {}, caption)), el("thead", {}, el("tr", {}, heads)), body)),
    el("div", { class: "under" },
      rows.length > page && pages.node,
      name !== null && rows.length > 0 && downloads(name, held, () => state.rows)));
}

function head(column, index, onclick) {
  return el("th", { scope: "col", class: column.numeric && "number" },
    el("button", { type: "button", class: "sort", onclick }, column.title));
}

function direction(order, column) {
  if (order?.key !== column.key) return "none";
  return order.down ? "descending" : "ascending";
}

/** The other way round, or by another column: of numbers the largest first, of text the first. */
function turned(order, column) {
  return order?.key === column.key ? { key: column.key, down: !order.down } : { key: column.key, down: Boolean(column.numeric) };
}

/** Equal rows stay as they were; what nothing tells comes last, whichever way it goes. */
function ordered(rows, columns, order) {
  const column = columns.find(({ key }) => key === order?.key);
  if (!column) return rows;
  const keyed = rows.map((row) => [column.value(row), row]);
  return keyed.sort(([one], [other]) => compared(one, other, order.down)).map(([, row]) => row);
}

function compared(one, other, down) {
  const untold = [one, other].map((value) => value === null || value === undefined || Number.isNaN(value));
  if (untold[0] || untold[1]) return untold[0] - untold[1];
  const order = typeof one === "number" && typeof other === "number" ? one - other : collator.compare(String(one), String(other));
  return down ? -order : order;
}

function fill(body, columns, state, page, pages) {
  const shown = state.rows.slice(state.from, state.from + page);
  const cells = (row) => columns.map((column, index) =>
    el(index ? "td" : "th", { scope: !index && "row", class: column.numeric ? "number" : column.prose && "prose" }, shownIn(column, row)));
  body.replaceChildren(...shown.map((row) => el("tr", {}, cells(row))));
  if (!shown.length) body.append(el("tr", {}, el("td", { colspan: columns.length, class: "none" }, "None.")));
  pages.say();
}

function shownIn(column, row) {
  if (column.cell) return column.cell(row);
  const value = column.value(row);
  return typeof value === "number" ? count(value) : value ?? "–";
}

/** The buttons of the pages. They stay where they are and keep the focus; at an end they do nothing. */
function paging(state, page, turn) {
  const last = () => Math.floor((state.rows.length - 1) / page) * page;
  const go = (step) => () => {
    const from = state.from + step * page;
    if (from < 0 || from > last()) return;
    state.from = from;
    turn();
  };
  const previous = el("button", { type: "button", onclick: go(-1) }, "Previous");
  const next = el("button", { type: "button", onclick: go(1) }, "Next");
  const text = el("span", { "aria-live": "polite" });
  const say = () => {
    text.textContent = `${count(state.from + 1)} to ${count(Math.min(state.from + page, state.rows.length))} of ${count(state.rows.length)}`;
    previous.setAttribute("aria-disabled", state.from === 0);
    next.setAttribute("aria-disabled", state.from >= last());
  };
  return { node: el("div", { class: "pages" }, previous, text, next), say };
}
