// The pieces that several views are made of.

import { html, useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { ask } from "./api.js";
import { value } from "./format.js";
import { has, word } from "./words.js";

const MARKS = { on_track: "●", at_risk: "▲", off_track: "■", no_data: "○" };
const SEVERITY = ["off_track", "at_risk", "no_data", "on_track"];

/** Sort statuses: what needs somebody first. */
export const severity = (status) => SEVERITY.indexOf(status ?? "on_track");

/** A status as shape, word and colour, in this order of importance. */
export function Status({ status, site, short = false }) {
  const name = status ?? "no_target";
  return html`<span class="status ${name}">
    <span aria-hidden="true">${MARKS[name] ?? "·"}</span>${" "}
    <span class=${short ? "unseen" : ""}>${word(name, site.language)}</span>
  </span>`;
}

/** Why there is no value, in words. */
export function reason(reading, kpi, site) {
  const key = reading?.no_data ?? "too_few";
  const values = { samples: reading?.samples ?? 0, minimum: kpi.minimum_sample };
  return has(key) ? word(key, site.language, values) : key;
}

/** A reading: its value, or why there is none. */
export function Value({ reading, kpi, site }) {
  if (!reading || reading.value == null) {
    return html`<span class="none">${reason(reading, kpi, site)}</span>`;
  }
  return html`${value(reading.value, kpi, site.strategy, site.language)}`;
}

const WIDTH = 92;
const HEIGHT = 22;

/** A line of readings without axes; gaps where there was none. */
export function Sparkline({ points, label }) {
  const known = points.filter((each) => each != null);
  if (known.length < 2) return html`<span class="none">—</span>`;
  const low = Math.min(...known);
  const reach = Math.max(...known) - low || 1;
  const at = (each, place) => [
    1 + (place / (points.length - 1)) * (WIDTH - 4),
    HEIGHT - 3 - ((each - low) / reach) * (HEIGHT - 6),
  ];
  let path = "";
  let pen = "M";
  points.forEach((each, place) => {
    if (each == null) {
      pen = "M";
      return;
    }
    const [x, y] = at(each, place);
    path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
  });
  const last = points.findLastIndex((each) => each != null);
  const [x, y] = at(points[last], last);
  return html`<svg class="sparkline" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label=${label}>
    <path d=${path} /><circle cx=${x} cy=${y} r="2" />
  </svg>`;
}

const ARROWS = { steady: "→", rising: "↗", falling: "↘" };

/** Which way the recent readings go, as [arrow, word]; null where too few are known. */
export function trend(points, site) {
  const known = points.filter((each) => each != null);
  if (known.length < 2) return null;
  const change = known.at(-1) - known[0];
  const size = Math.max(...known.map(Math.abs)) || 1;
  const name = Math.abs(change) < size / 100 ? "steady" : change > 0 ? "rising" : "falling";
  return [ARROWS[name], word(name, site.language)];
}

export function Trend({ points, site }) {
  const found = trend(points, site);
  return found && html`<span class="trend" title=${found[1]}>
    <span aria-hidden="true">${found[0]}</span><span class="unseen">${found[1]}</span>
  </span>`;
}

/** A choice that lives in the address. */
export function Choice({ name, label, options, site, empty, chosen = "" }) {
  return html`<label class="choice">
    <span>${label}</span>
    <select name=${name} value=${site.query[name] || chosen} onChange=${(event) => site.choose({ [name]: event.target.value })}>
      ${empty != null && html`<option value="">${empty}</option>`}
      ${options.map(([code, text]) => html`<option key=${code} value=${code}>${text}</option>`)}
    </select>
  </label>`;
}

export function OfficeChoice({ site }) {
  const offices = site.strategy.dimensions.find((each) => each.id === "office")?.members ?? [];
  return html`<${Choice} name="office" label=${word("office", site.language)} site=${site}
    empty=${word("everywhere", site.language)}
    options=${offices.map((each) => [each.code, each.name[site.language]])} />`;
}

/** A link within the page that keeps office, window and language. */
export function Link({ to, site, children, query = {}, ...rest }) {
  const address = site.address(to, query);
  return html`<a href=${address} ...${rest} onClick=${(event) => site.follow(event, address)}>${children}</a>`;
}

/**
 * Ask the API, and again whenever the evaluation has moved on by `everyMs`.
 *
 * Returns {body, error, again}; the old answer stays while a new one is under way. There is one
 * question under way at a time, so that a slow answer is not thrown away for the next one.
 */
export function useAnswer(path, query, site, everyMs = 5_000) {
  const [answer, setAnswer] = useState({});
  const key = path && JSON.stringify([path, query]);
  const moment = Math.floor(Date.parse(site.evaluation?.as_of ?? 0) / everyMs);
  const asking = useRef({});
  useEffect(() => {
    if (!path) return undefined;
    const waiting = new AbortController();
    const mine = { busy: false, due: false, ask: null };
    mine.ask = () => {
      if (mine.busy) {
        mine.due = true;
        return;
      }
      mine.busy = true;
      mine.due = false;
      ask(path, query, waiting.signal)
        .then(
          (body) => setAnswer({ key, body }),
          (error) => {
            if (!waiting.signal.aborted) setAnswer((before) => (before.key === key ? { ...before, error } : { key, error }));
          },
        )
        .finally(() => {
          mine.busy = false;
          if (mine.due && !waiting.signal.aborted) mine.ask();
        });
    };
    asking.current = mine;
    return () => waiting.abort();
  }, [key]);
  useEffect(() => {
    if (path) asking.current.ask();
  }, [key, moment, site.live]);
  const current = answer.key === key ? answer : {};
  return { ...current, again: () => asking.current.ask?.() };
}

/** What stands where an answer is awaited or did not come. */
export function Pending({ answer, site }) {
  const { language } = site;
  if (!answer.error) return html`<p class="pending" role="status">${word("loading", language)}</p>`;
  const { status, message } = answer.error;
  const text = status === 0 ? word("unreachable", language) : status === 503 ? word("not_yet", language) : "";
  return html`<div class="pending" role="alert">
    <p>${text} ${message}</p>
    <button type="button" onClick=${answer.again}>${word("retry", language)}</button>
  </div>`;
}

/** A bar to the right of the middle or to the left of it; `share` is −1..1 of the longest. */
export function Bar({ share, tone }) {
  const size = `${Math.min(50, Math.abs(share) * 50)}%`;
  const side = share < 0 ? { right: "50%", width: size } : { left: "50%", width: size };
  return html`<span class="bar" aria-hidden="true"><span class=${tone} style=${side}></span></span>`;
}
