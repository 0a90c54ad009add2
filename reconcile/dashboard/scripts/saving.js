// Downloads of exactly what a table shows: filtered, in its order, all pages of it.

const FORMULAS = "=+-@\t\r";

/** Two buttons that save `rows()` as `NAME.json` and `NAME.csv`: what each column holds, under the column's key. */
function downloads(name, columns, rows) {
  const button = (kind, type, text) => el("button", { type: "button", onclick: () => save(`${name}.${kind}`, type, text()) },
    el("span", { class: "hidden" }, "Download as "), kind.toUpperCase());
  return el("div", { class: "downloads", role: "group", "aria-label": `Download ${name}` },
    el("span", { "aria-hidden": "true" }, "Download"),
    button("json", "application/json", () => asJson(columns, rows())),
    button("csv", "text/csv", () => asCsv(columns, rows())));
}

function asJson(columns, rows) {
  return `${JSON.stringify(rows.map((row) => Object.fromEntries(columns.map((column) => [column.key, valueOf(column, row)]))), null, 2)}\n`;
}

/** RFC 4180, with a head. What nothing tells is empty, which is not zero. */
function asCsv(columns, rows) {
  const lines = [columns.map(({ key }) => key), ...rows.map((row) => columns.map((column) => csvText(valueOf(column, row), column.numeric)))];
  return lines.map((cells) => `${cells.join(",")}\r\n`).join("");
}

function valueOf(column, row) {
  return (column.saved ?? column.value)(row) ?? null;
}

/** An apostrophe before what begins like a formula is what spreadsheets understand; a number is none. */
function csvText(value, numeric) {
  if (value === null) return "";
  const text = String(value);
  if (typeof value === "number" || (numeric && /^-?\d+(\.\d+)?$/.test(text))) return text;
  const harmless = FORMULAS.includes(text.charAt(0)) && text ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

function save(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
