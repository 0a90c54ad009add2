// What every view is made of. Text of others is only ever set as text: nothing on this page is parsed as HTML, and what
// cannot be seen or turns the direction of reading is spelled out.

/** An element with attributes, listeners (`onclick`) and children: elements, text, or nothing. */
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : SPOKEN.test(name) ? printable(String(value)) : value);
  }
  const told = children.flat().filter((child) => child !== null && child !== undefined && child !== false);
  node.append(...told.map((child) => (child instanceof Node ? child : printable(String(child)))));
  return node;
}

const SPOKEN = /^(aria-label|aria-description|title|placeholder)$/;

/** Control, format and bidirectional characters as `\u202e`. */
function printable(text) {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0).toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
  });
}

const plain = new Intl.NumberFormat("en-US");

/** A whole number with separators; a dash where nothing tells it. */
function count(value) {
  return value === null || value === undefined ? "–" : plain.format(value);
}

function plural(value, noun) {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** US dollars, from a number or an exact decimal string; what is not zero does not read as zero. */
function dollars(amount) {
  if (amount === null || amount === undefined) return "–";
  const value = Number(amount);
  const size = Math.abs(value);
  const digits = size === 0 || size >= 1 ? 2 : size >= 0.0001 ? 4 : Math.min(20, 1 - Math.floor(Math.log10(size)));
  const sign = value < 0 ? "−" : "";
  return `${sign}$${Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

/** `2026-01-05 14:17Z`, from seconds since the epoch. */
function moment(seconds) {
  return seconds === null || seconds === undefined ? "–" : `${iso(seconds).slice(0, 16).replace("T", " ")}Z`;
}

/** The UTC day, as `2026-01-05`. */
function day(seconds) {
  return iso(seconds).slice(0, 10);
}

function iso(seconds) {
  return new Date(seconds * 1000).toISOString();
}

/** The two largest units of a span of minutes: `12 min`, `3 h 5 min`, `2 d 4 h`. */
function span(minutes) {
  const whole = Math.max(0, Math.floor(minutes));
  const [days, hours, rest] = [Math.floor(whole / 1440), Math.floor(whole / 60) % 24, whole % 60];
  if (days) return hours ? `${days} d ${hours} h` : `${days} d`;
  if (hours) return rest ? `${hours} h ${rest} min` : `${hours} h`;
  return `${rest} min`;
}

/** The words of a code: `shared_minutes` is read as `shared minutes`. */
function words(code) {
  return code === null || code === undefined ? "–" : String(code).replaceAll("_", " ");
}

/** A part of a view under a heading, which names it for those who hear the page. */
function section(title, ...children) {
  return el("section", { "aria-label": title }, el("h2", {}, title), ...children);
}

function note(...children) {
  return el("p", { class: "note" }, ...children);
}
