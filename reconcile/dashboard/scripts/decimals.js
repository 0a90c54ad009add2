// Amounts of money are exact decimal strings. They are added up digit by digit; a number of the machine is only ever shown.

const DECIMAL = /^(-?)(\d{1,60})(?:\.(\d{1,60}))?(?:[eE]([+-]?\d{1,2}))?$/;

/** The sum of decimal strings, as one; null of none. What is no decimal is left out: `isDecimal` tells. */
function sumOf(texts) {
  const parts = texts.map(scaled).filter(Boolean);
  if (!parts.length) return null;
  const places = Math.max(...parts.map((part) => part.places));
  const sum = parts.reduce((total, { units, places: own }) => total + units * 10n ** BigInt(places - own), 0n);
  return spelled(sum, places);
}

function isDecimal(text) {
  return typeof text === "string" && DECIMAL.test(text);
}

/** Below zero, zero or above: -1, 0 or 1, by all its digits. Null where nothing tells it. */
function signOf(amount) {
  if (typeof amount === "number") return Math.sign(amount);
  const found = scaled(amount);
  return found && (found.units < 0n ? -1 : Number(found.units > 0n));
}

/** Whole units of the last digit, and how many digits are behind the point. */
function scaled(text) {
  if (!isDecimal(text)) return null;
  const [, sign, whole, behind = "", exponent = "0"] = DECIMAL.exec(text);
  const places = behind.length - Number(exponent);
  const units = BigInt(`${sign}${whole}${behind}`);
  return places < 0 ? { units: units * 10n ** BigInt(-places), places: 0 } : { units, places };
}

function spelled(units, places) {
  const digits = String(units < 0n ? -units : units).padStart(places + 1, "0");
  const [whole, behind] = [digits.slice(0, digits.length - places), digits.slice(digits.length - places).replace(/0+$/, "")];
  return `${units < 0n ? "-" : ""}${whole}${behind && `.${behind}`}`;
}
