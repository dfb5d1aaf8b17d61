// Numbers, times and names as their reader writes them. Rounded here and nowhere else.

/** Digits that show whether a number lies exactly between two others. */
const EXACT = 30;

/** Round as the terminal, the report and Grafana's texts do: the number as it is, halves to even. */
function rounded(value, decimals) {
  const text = value.toFixed(decimals);
  const [, tail] = value.toFixed(decimals + EXACT).split(".");
  const half = /^50*$/.test(tail.slice(decimals));
  // `toFixed` takes halves away from zero, which is odd where the last digit is.
  if (!half || /[02468]$/.test(text)) return text;
  const other = Number(text) - Math.sign(value) * 10 ** -decimals;
  return `${value < 0 && other === 0 ? "-" : ""}${other.toFixed(decimals)}`;
}

/** SI's thin space between thousands and the decimal comma, as Peruvian official texts use them. */
export function number(value, decimals, language) {
  const [whole, part] = rounded(value, decimals).split(".");
  const [gap, comma] = language === "es" ? ["\u2009", ","] : [",", "."];
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, gap);
  return part == null ? grouped : `${grouped}${comma}${part}`;
}

/** A KPI's value with its unit; a dash where there is none. `kpi.shown` comes from the API. */
export function value(amount, kpi, strategy, language) {
  if (amount == null) return "—";
  const { divisor, decimals, suffix } = kpi.shown;
  // A number and its unit stay on one line.
  const text = number(amount / divisor, decimals, language) + suffix.replace(" ", "\u00a0");
  return kpi.unit === "money" ? `${strategy.currency}\u00a0${text}` : text;
}

/** The same with its sign, for changes and gaps; two shares are apart by percentage points. */
export function signed(amount, kpi, strategy, language) {
  if (amount == null) return "—";
  const text = value(Math.abs(amount), kpi, strategy, language).replace(/\s%$/, "\u00a0pp");
  if (!/[1-9]/.test(text)) return text;
  return amount < 0 ? `−${text}` : `+${text}`;
}

/** A length of time in the largest unit that says enough: 41 h, 3,5 d, 12 min. */
export function length(seconds, language) {
  if (seconds == null) return "—";
  const size = Math.abs(seconds);
  if (size < 90) return `${number(seconds, 0, language)}\u00a0s`;
  if (size < 5_400) return `${number(seconds / 60, 0, language)}\u00a0min`;
  if (size < 360_000) return hours(seconds, language);
  return `${number(seconds / 86_400, seconds % 86_400 ? 1 : 0, language)}\u00a0d`;
}

/** The same in hours, however long: beside a limit that is given in hours. */
export function hours(seconds, language) {
  return `${number(seconds / 3_600, seconds % 3_600 ? 1 : 0, language)}\u00a0h`;
}

export function percent(share, language, decimals = 0) {
  return share == null ? "—" : `${number(share * 100, decimals, language)}\u00a0%`;
}

const styles = new Map();

function style(language, zone, options) {
  const key = JSON.stringify([language, zone, options]);
  if (!styles.has(key)) {
    const locale = language === "es" ? "es-PE" : "en-GB";
    styles.set(key, new Intl.DateTimeFormat(locale, { timeZone: zone, ...options }));
  }
  return styles.get(key);
}

/** Date and time of day in the strategy's zone. */
export function instant(text, strategy, language) {
  if (!text) return "—";
  const options = { day: "2-digit", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hour12: false };
  return style(language, strategy.time_zone, options).format(new Date(text));
}

/** The date alone. `text` is an instant, or a local date that belongs to no zone. */
export function day(text, strategy, language) {
  if (!text) return "—";
  const plain = /^\d{4}-\d\d-\d\d$/.test(text);
  const zone = plain ? "UTC" : strategy.time_zone;
  const options = { day: "2-digit", month: "short", year: "numeric" };
  return style(language, zone, options).format(new Date(text));
}

/** Day and month, where the year is plain. */
export function shortDay(text, strategy, language) {
  return style(language, strategy.time_zone, { day: "2-digit", month: "short" }).format(new Date(text));
}

/** The last day of a deadline, which is the instant after it: month and year. */
export function deadline(text, strategy, language) {
  return month(new Date(Date.parse(text) - 1).toISOString(), strategy, language);
}

/** Month and year. */
export function month(text, strategy, language) {
  if (!text) return "—";
  const plain = /^\d{4}-\d\d-\d\d$/.test(text);
  const zone = plain ? "UTC" : strategy.time_zone;
  return style(language, zone, { month: "short", year: "numeric" }).format(new Date(text));
}

export const named = (text, language) => (text ? text[language] ?? text.en ?? "" : "");

/** The name of a member of a dimension; its code where the strategy has no name for it. */
export function member(strategy, dimension, code, language) {
  const known = strategy.dimensions.find((each) => each.id === dimension);
  const found = known?.members.find((each) => each.code === code);
  return found ? named(found.name, language) : code;
}
