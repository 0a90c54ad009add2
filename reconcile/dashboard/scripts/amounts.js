// Differences of a comparison: with a sign and a colour, every digit kept where it counts and few where it is read.

const METRICS = {
  requests: "requests",
  input_tokens: "input tokens",
  uncached_tokens: "uncached",
  cached_tokens: "cached",
  cache_write_tokens: "cache write",
  output_tokens: "output tokens",
  total_tokens: "total tokens",
  cost_usd: "cost (USD)",
};
const WITHIN_INPUT = new Set(["uncached_tokens", "cached_tokens", "cache_write_tokens"]);

/** A whole number with separators, an amount of money to a hundredth of a cent or to its first two digits. */
function figureText(value) {
  if (!isTold(value)) return "n/a";
  if (typeof value === "number") return count(value).replace("-", "−");
  const size = Math.abs(Number(value));
  const digits = size === 0 || size >= 0.0001 ? 4 : Math.min(20, 1 - Math.floor(Math.log10(size)));
  return `${signOf(value) < 0 ? "−" : ""}${size.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

/** What the log has more or less than the provider: `+12` in green, `−12` in red, `= 0` in grey. */
function differenceOf(value, text = figureText) {
  if (!isTold(value)) return "n/a";
  const [kind, mark] = { "-1": ["below", ""], 0: ["equal", "= "], 1: ["above", "+"] }[signOf(value)] ?? ["untold", ""];
  return el("span", { class: kind }, `${mark}${text(value)}`);
}

/** Two digits, and more where they would read as zero. */
function percentText(value) {
  const size = Math.abs(Number(value));
  const digits = size === 0 || size >= 0.01 ? 2 : Math.min(20, 1 - Math.floor(Math.log10(size)));
  return `${signOf(value) < 0 ? "−" : ""}${size.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })} %`;
}

/** Whether a tested figure is within what is allowed, in words. */
function withinBadge({ percent: allowed, absolute, within, untested }) {
  if (!isTold(within)) return el("span", { class: "untested" }, untested?.startsWith("tested") ? untested : `not tested${untested ? `: ${untested}` : ""}`);
  const rules = [signOf(allowed) ? `${allowed}%` : null, signOf(absolute) || !signOf(allowed) ? absolute : null].filter(isTold).join(" or ");
  return within
    ? el("span", { class: "within" }, `✓ Reconciled (within ${rules})`)
    : el("span", { class: "without" }, `✗ Not within ${rules}`);
}
