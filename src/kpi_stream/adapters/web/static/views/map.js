// The strategic map: the same layout as in Grafana, live.

import { html, useState } from "../vendor/htm-preact.js";
import { named, percent, value } from "../format.js";
import { Link, Pending, reason, Status, Trend, trend, useAnswer } from "../parts.js";
import { word } from "../words.js";

/** Everything that leads to an objective or follows from it. */
function chain(arrows, start) {
  const found = new Set([start]);
  for (const [from, to] of [["cause", "effect"], ["effect", "cause"]]) {
    const open = [start];
    while (open.length) {
      const here = open.pop();
      for (const arrow of arrows) {
        if (arrow[from] === here && !found.has(arrow[to])) {
          found.add(arrow[to]);
          open.push(arrow[to]);
        }
      }
    }
  }
  return found;
}

/** The series that stands worst in an objective, with its KPI. */
function worst(objective, kpis) {
  const key = objective.worst;
  const part = key && objective.kpis.find((each) => each.kpi === key.kpi);
  const series = part?.series.find(
    (each) => each.window === key.window && each.dimension === key.dimension && each.member === key.member,
  );
  return series ? { series, kpi: kpis.get(key.kpi) } : null;
}

/** Why an objective says nothing: the reason of the first of its KPIs. */
function silent(objective, site) {
  const part = objective.kpis[0];
  if (!part) return { text: word("no_kpis", site.language) };
  const kpi = site.kpis.get(part.kpi);
  return { kpi, text: reason(part.series[0], kpi, site) };
}

/** What a series should be today; of a band, its edges. */
function due(found, site) {
  const { language, strategy } = site;
  if (!found) return "";
  const { expected, target } = found.series;
  const show = (amount) => value(amount, found.kpi, strategy, language);
  if (expected != null) return `${word("should", language)} ${show(expected)}`;
  return target?.low == null ? "" : `${word("should", language)} ${show(target.low)} – ${show(target.value)}`;
}

function Words({ lines, x, y, step, ...rest }) {
  return html`<text ...${rest}>${lines.map(
    (line, at) => html`<tspan key=${at} x=${x} y=${y + at * step}>${line}</tspan>`,
  )}</text>`;
}

export function MapView({ site }) {
  const answer = useAnswer("scorecard", {}, site, 1_000);
  const [lit, setLit] = useState(null);
  if (!answer.body) return html`<${Pending} answer=${answer} site=${site} />`;
  const objectives = new Map(
    answer.body.perspectives.flatMap((each) => each.objectives).map((each) => [each.id, each]),
  );
  const { map } = site.strategy;
  const shown = lit && chain(map.arrows, lit);
  return html`<section>
    <h1 class="unseen">${word("map", site.language)}</h1>
    <p class="vision">${named(site.strategy.vision, site.language)}</p>
    <${Picture} map=${map} objectives=${objectives} site=${site} shown=${shown} setLit=${setLit} />
    <${List} objectives=${objectives} site=${site} />
  </section>`;
}

function Picture({ map, objectives, site, shown, setLit }) {
  const { width_px: width, height_px: height } = map;
  const px = (x, y) => [(x / 100) * width, (y / 100) * height];
  const area = (rect) => {
    const [x, y] = px(rect.left, rect.top);
    const [right, bottom] = px(rect.right, rect.bottom);
    return { x, y, width: right - x, height: bottom - y };
  };
  const dim = (...names) => (shown && !names.every((name) => shown.has(name)) ? "dim" : "");
  return html`<svg class="map" viewBox="0 0 ${width} ${height}" role="group"
    aria-label=${word("map", site.language)} onMouseLeave=${() => setLit(null)}>
    <defs>
      <marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9"
        markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L10 5L0 10z" /></marker>
    </defs>
    ${map.bands.map((band) => {
      const label = area(band.label);
      return html`<g key=${band.perspective} class="band">
        <rect ...${area(band.rect)} />
        <${Words} lines=${band.lines[site.language]} x=${label.x} y=${label.y + 14} step=${18} />
      </g>`;
    })}
    ${map.arrows.map((arrow) => {
      const points = arrow.points.map(([x, y]) => px(x, y).map((each) => each.toFixed(1)).join(","));
      return html`<polyline key=${`${arrow.cause} ${arrow.effect}`} points=${points.join(" ")}
        class="arrow ${dim(arrow.cause, arrow.effect)}" marker-end="url(#head)" />`;
    })}
    ${map.boxes.map(
      (box) => html`<${Box} key=${box.objective} box=${box} area=${area} site=${site}
        objective=${objectives.get(box.objective)} dim=${dim(box.objective)} setLit=${setLit} />`,
    )}
  </svg>`;
}

const MARKS = { on_track: "●", at_risk: "▲", off_track: "■", no_data: "○" };

function Box({ box, area, site, objective, dim, setLit }) {
  if (!objective) return null;
  const { language, strategy } = site;
  const found = worst(objective, site.kpis);
  const why = found ? null : silent(objective, site);
  const shown = found?.kpi ?? why?.kpi;
  const place = shown ? `/kpi/${shown.id}` : "/scorecard";
  const query = found && found.series.dimension === "office" ? { office: found.series.member } : {};
  if (found) query.window = found.series.window;
  const name = area(box.name);
  const status = area(box.status);
  const attainment = area(box.attainment);
  const line = area(box.worst);
  const under = area(box.value);
  const goes = found && trend(found.series.trend, site);
  const read = found ? value(found.series.value, found.kpi, strategy, language) : "";
  const should = found ? due(found, site) : why?.text;
  const address = site.address(place, query);
  return html`<a class="box ${objective.status} ${dim}" href=${address}
    onClick=${(event) => site.follow(event, address)} onMouseEnter=${() => setLit(box.objective)}
    onFocus=${() => setLit(box.objective)} onBlur=${() => setLit(null)}>
    ${shown && html`<title>${[`${shown.code} ${named(shown.name, language)}`, goes?.[1]].filter(Boolean).join(", ")}</title>`}
    <rect class="frame" ...${area(box.rect)} rx="3" />
    <rect class="stripe" ...${area(box.stripe)} />
    <${Words} class="name" lines=${box.lines[language]} x=${name.x} y=${name.y + 14} step=${20} />
    <text class="standing" x=${status.x} y=${status.y + 16}>
      <tspan aria-hidden="true">${MARKS[objective.status]} </tspan>${word(objective.status, language)}
    </text>
    ${objective.attainment != null &&
    html`<text class="attainment" x=${attainment.x + attainment.width} y=${attainment.y + 16} text-anchor="end">
      ${percent(objective.attainment, language)}
    </text>`}
    ${shown &&
    html`<text class="worst" x=${line.x} y=${line.y + 14}>${shown.code || shown.id}${" "}${read}
        ${goes && html`<tspan aria-hidden="true"> ${goes[0]}</tspan>`}</text>`}
    <text class="should" x=${under.x} y=${under.y + 14}>${should}</text>
  </a>`;
}

/** The same for a narrow screen and for whoever listens to the page. */
function List({ objectives, site }) {
  return html`<div class="map-list">
    ${site.strategy.perspectives.map((band) => {
      const mine = [...objectives.values()].filter((each) =>
        site.strategy.objectives.some((one) => one.id === each.id && one.perspective === band.id),
      );
      return html`<section key=${band.id}>
        <h2>${named(band.name, site.language)}</h2>
        <ul>${mine.map((objective) => html`<${Item} key=${objective.id} objective=${objective} site=${site} />`)}</ul>
      </section>`;
    })}
  </div>`;
}

function Item({ objective, site }) {
  const { language, strategy } = site;
  const found = worst(objective, site.kpis);
  const why = found ? null : silent(objective, site);
  return html`<li class=${objective.status}>
    <p><strong>${named(objective.name, language)}</strong> <${Status} status=${objective.status} site=${site} /></p>
    ${found &&
    html`<p><${Link} to=${`/kpi/${found.kpi.id}`} site=${site} query=${{ window: found.series.window }}>
        ${named(found.kpi.name, language)}<//>${" "}
      ${value(found.series.value, found.kpi, strategy, language)}
      ${" "}<${Trend} points=${found.series.trend} site=${site} />
      <span class="quiet"> ${due(found, site)}</span>
    </p>`}
    ${why && html`<p>${why.kpi && html`<${Link} to=${`/kpi/${why.kpi.id}`} site=${site}>${named(why.kpi.name, language)}<//> `}<span class="quiet">${why.text}</span></p>`}
  </li>`;
}
