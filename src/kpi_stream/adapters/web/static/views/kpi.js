// One KPI: where it stands, what moves it, why it changed, and what exactly it counts.

import { html } from "../vendor/htm-preact.js";
import { Histogram, Lines } from "../charts.js";
import { day, deadline, instant, length, member, named, number, percent, signed, value } from "../format.js";
import { Bar, Choice, Link, OfficeChoice, Pending, Status, useAnswer, Value } from "../parts.js";
import { span, word } from "../words.js";

export function KpiPage({ kpi, site }) {
  const { language, query } = site;
  const window = kpi.windows.includes(query.window) ? query.window : usual(kpi, query.office, site);
  const asked = { window, office: query.office };
  const answer = useAnswer(`kpis/${kpi.id}`, asked, site);
  return html`<article class="kpi">
    <p class="quiet">${kpi.code} · ${kpi.owner}</p>
    <h1>${named(kpi.name, language)}</h1>
    <p class="question">${named(kpi.question, language)}</p>
    <div class="choices">
      ${kpi.dimensions.includes("office") && html`<${OfficeChoice} site=${site} />`}
      <${Choice} name="window" label=${word("window", language)} site=${site} chosen=${window} options=${kpi.windows.map((each) => [each, span(each, language)])} />
    </div>
    ${answer.body
      ? html`<${Body} body=${answer.body} kpi=${kpi} site=${site} asked=${asked} />`
      : html`<${Pending} answer=${answer} site=${site} />`}
  </article>`;
}

/** The window that has a target, one of the office's own first; as the API chooses it. */
function usual(kpi, office, site) {
  const own = site.strategy.targets.filter((each) => each.kpi === kpi.id);
  const wanted = office ? "office" : "national";
  return (own.find((each) => each.dimension === wanted) ?? own[0])?.window ?? kpi.windows[0];
}

function Body({ body, kpi, site, asked }) {
  const { language, strategy } = site;
  const show = (amount) => value(amount, kpi, strategy, language);
  const { judgement: judged, reading } = body;
  const facts = judged && [
    ["expected", show(judged.expected)],
    ["gap", signed(judged.gap, kpi, strategy, language)],
    ["target", `${judged.target.low == null ? "" : `${show(judged.target.low)} – `}${show(judged.target.value)} · ${deadline(judged.target.deadline, strategy, language)}`],
    ["forecast", show(judged.forecast)],
  ];
  return html`
    <div class="standing">
      <p class="big"><${Value} reading=${reading} kpi=${kpi} site=${site} /></p>
      <div>
        <p><${Status} status=${judged?.status} site=${site} /></p>
        <p>${named(body.sentence, language)}</p>
      </div>
      <dl class="facts">
        ${facts?.map(([name, text]) => html`<div key=${name}><dt>${word(name, language)}</dt><dd>${text}</dd></div>`)}
        <div><dt>${word("samples", language)}</dt><dd>${number(reading?.samples ?? 0, 0, language)}</dd></div>
      </dl>
    </div>
    <${OverTime} body=${body} kpi=${kpi} site=${site} />
    <${Moves} body=${body} kpi=${kpi} site=${site} />
    <${Why} kpi=${kpi} site=${site} asked=${asked} />
    ${body.distribution?.length > 0 &&
    html`<section><h2>${word("distribution", language)}</h2>
      <${Histogram} bars=${body.distribution} limit=${body.target_s} show=${(seconds) => length(seconds, language)}
        label=${{ chart: word("distribution", language), limit: word("expected", language) }}
        note=${word("distribution_note", language, { most: number(Math.max(...body.distribution.map((each) => each.count)), 0, language) })} /></section>`}
    <${Statuses} body=${body} kpi=${kpi} site=${site} />
    <${Definition} body=${body} kpi=${kpi} site=${site} />
  `;
}

/** Actual, trajectory, target and benchmarks over one axis of time. */
function OverTime({ body, kpi, site }) {
  const { language } = site;
  const seconds = (text) => Math.round(Date.parse(text) / 1_000);
  const actual = new Map(body.history.map((each) => [seconds(each.at), each.value]));
  const planned = new Map(body.trajectory.map((each) => [seconds(each.at), each.expected]));
  // The way to the target is long: it is drawn from a while before the first reading on.
  const first = Math.min(...actual.keys());
  const begin = actual.size ? first - 0.5 * (Math.max(...actual.keys()) - first) : -Infinity;
  const every = [...new Set([...actual.keys(), ...planned.keys()])].sort((one, other) => one - other);
  const before = every.findLastIndex((at) => at < begin);
  const times = every.slice(Math.max(before, 0));
  if (times.length < 2) return null;
  const goal = body.judgement?.target;
  const show = (amount) => value(amount, kpi, site.strategy, language);
  const level = (amount) => times.map((_, at) => (at === 0 || at === times.length - 1 ? amount : undefined));
  const lines = [{ name: word("actual", language), values: times.map((at) => actual.get(at)), tone: "main" }];
  if (planned.size) {
    lines.push({ name: word("trajectory_to", language, { target: show(goal.value) }), values: times.map((at) => planned.get(at)), tone: "aim", dashed: true });
  } else if (goal) {
    for (const each of [goal.value, goal.low].filter((one) => one != null)) {
      lines.push({ name: `${word("target", language)} ${show(each)}`, values: level(each), tone: "aim", dashed: true });
    }
  }
  const drawn = [...body.history.map((each) => each.value), ...body.trajectory.map((each) => each.expected), goal?.value, goal?.low].filter((each) => each != null);
  const top = Math.max(...drawn);
  const bottom = Math.min(...drawn);
  const reach = Math.max(top - bottom, top * 0.25);
  // One far away would press all others flat; all of them are listed below.
  const near = body.benchmarks.filter((each) => each.value <= top + reach && each.value >= bottom - reach);
  for (const each of near.slice(0, 3)) {
    lines.push({ name: `${each.who} ${each.period}`, values: level(each.value), tone: "quiet", dashed: true });
  }
  return html`<section><h2>${word("over_time", language)}</h2>
    <${Lines} times=${times} lines=${lines} kpi=${kpi} site=${site} label=${word("over_time", language)} />
  </section>`;
}

/** Each dimension's members by what they add to the gap. */
function Moves({ body, kpi, site }) {
  const { language, strategy } = site;
  const parts = body.breakdown.filter((each) => each.members.some((one) => one.contribution != null));
  if (!body.breakdown.length) return html`<section><h2>${word("moves", language)}</h2><p class="quiet">${word("moves_none", language)}</p></section>`;
  const note = parts.length > 0 && body.judgement?.gap != null && word("moves_note", language, { gap: signed(body.judgement.gap, kpi, strategy, language) });
  return html`<section><h2>${word("moves", language)}</h2>
    ${note && html`<p class="quiet">${note}</p>`}
    <div class="splits">${body.breakdown.map((each) => html`<${Breakdown} key=${each.dimension} part=${each} kpi=${kpi} site=${site} />`)}</div>
  </section>`;
}

/** Members of a dimension that have a row of their own; the others share one. */
const MEMBERS = 12;

function Breakdown({ part, kpi, site }) {
  const { language, strategy } = site;
  const name = strategy.dimensions.find((each) => each.id === part.dimension);
  const size = (each) => Math.abs(each.contribution ?? 0);
  const ranked = [...part.members].sort((one, other) => size(other) - size(one) || other.samples - one.samples);
  const [members, others] = [ranked.slice(0, MEMBERS), ranked.slice(MEMBERS)];
  const total = (name) => others.reduce((sum, each) => sum + (each[name] ?? 0), 0);
  const few = members.some((each) => each.no_data === "too_few");
  const longest = Math.max(...members.map(size)) || 1;
  const shared = part.total != null;
  // Of a band both edges are bad, so the side on which the whole lies is.
  const bad = kpi.direction === "band" ? Math.sign(part.total) || 1 : kpi.direction === "up" ? -1 : 1;
  return html`<div class="wide" tabindex="0" role="region" aria-label=${`${word("moves", language)}: ${named(name?.name, language)}`}><table><caption>${named(name?.name, language)}</caption>
    <thead><tr><th scope="col">${word("member", language)}</th><th scope="col">${word("value", language)}</th>
      <th scope="col">${word("samples", language)}</th>${shared && html`<th scope="col" colspan="2">${word("adds", language)}</th>`}</tr></thead>
    <tbody>${members.map((each) => html`<tr key=${each.member}>
      <th scope="row">${part.dimension === "office"
        ? html`<${Link} to=${`/kpi/${kpi.id}`} query=${{ office: each.member }} site=${site}>${member(strategy, part.dimension, each.member, language)}<//>`
        : member(strategy, part.dimension, each.member, language)}</th>
      <td>${value(each.value, kpi, strategy, language)}</td>
      <td>${number(each.samples, 0, language)}</td>
      ${shared && html`<td>${signed(each.contribution, kpi, strategy, language)}</td>
        <td class="across"><${Bar} share=${(each.contribution ?? 0) / longest} tone=${(each.contribution ?? 0) * bad > 0 ? "bad" : "good"} /></td>`}
    </tr>`)}
    ${others.length > 0 && html`<tr class="quiet"><th scope="row">${word("others", language, { count: others.length })}</th><td>—</td>
      <td>${number(total("samples"), 0, language)}</td>${shared && html`<td>${signed(total("contribution"), kpi, strategy, language)}</td><td></td>`}</tr>`}
    </tbody></table>
    ${few && html`<p class="quiet">${word("few_note", language, { minimum: number(kpi.minimum_sample, 0, language) })}</p>`}</div>`;
}

/** The change against the window before, in mix and rate. */
function Why({ kpi, site, asked }) {
  const { language, strategy } = site;
  const answer = useAnswer(`kpis/${kpi.id}/explanation`, asked, site, 60_000);
  if (!answer.body) return html`<section><h2>${word("why", language)}</h2><${Pending} answer=${answer} site=${site} /></section>`;
  const { body } = answer;
  const show = (amount) => value(amount, kpi, strategy, language);
  const change = (amount) => signed(amount, kpi, strategy, language);
  const dimension = (id) => named(strategy.dimensions.find((each) => each.id === id)?.name, language);
  if (body.why_not) return html`<section><h2>${word("why", language)}</h2><p class="quiet">${word(`why_not_${body.why_not}`, language)}</p></section>`;
  const { before, now } = body;
  const note = { before: show(before.value), now: show(now.value), change: change(body.change) };
  const apart = before.quantile == null || now.quantile == null ? null : now.quantile - before.quantile;
  const quantile = { before: show(before.quantile), now: show(now.quantile), change: change(apart) };
  return html`<section><h2>${word("why", language)}</h2>
    ${body.of_mean && html`<p>${word("why_note", language, quantile)}</p>
      <p class="quiet">${word("of_mean", language)}</p>`}
    <p>${word(body.of_mean ? "why_note_mean" : "why_note", language, note)}</p>
    ${body.cautions.map((each) => html`<p key=${each} class="quiet">${word(`caution_${each}`, language)}</p>`)}
    <div class="wide" tabindex="0" role="region" aria-label=${word("why", language)}><table class="cards">
      <thead><tr><th scope="col">${word("dimension", language)}</th><th scope="col" class="figure">${word("mix", language)}</th>
        <th scope="col" class="figure">${word("rate", language)}</th><th scope="col" class="figure">${word("total", language)}</th><th scope="col">${word("movers", language)}</th></tr></thead>
      <tbody>${body.splits.map((split) => html`<tr key=${split.dimension}>
        <th scope="row">${dimension(split.dimension)}</th>
        <td class="figure" data-label=${word("mix", language)}>${change(split.mix)}</td>
        <td class="figure" data-label=${word("rate", language)}>${change(split.rate)}</td>
        <td class="figure" data-label=${word("total", language)}>${change(split.mix + split.rate)}</td>
        <td>${split.effects.slice(0, 3).map((each) => html`<span class="effect" key=${each.member}>
          ${member(strategy, split.dimension, each.member, language)} ${change(each.mix + each.rate)}</span>`)}</td>
      </tr>`)}</tbody></table></div>
    ${body.costs.length > 0 && html`<h3>${word("costs", language)}</h3>
      <p class="quiet">${word("costs_note", language, { against: show(body.against) })}</p>
      <ol>${body.costs.map((each) => html`<li key=${each.dimension + each.member}>
        ${member(strategy, each.dimension, each.member, language)} <b>${change(each.gap)}</b>
        <span class="quiet">${" "}${dimension(each.dimension)} · ${show(each.value)} · n ${number(each.samples, 0, language)}</span></li>`)}</ol>`}
  </section>`;
}

function Statuses({ body, kpi, site }) {
  const { language, strategy } = site;
  return html`<section><h2>${word("statuses", language)}</h2>
    ${body.statuses.length === 0 ? html`<p class="quiet">${word("statuses_none", language)}</p>` : html`<div class="wide" tabindex="0" role="region" aria-label=${word("statuses", language)}><table>
      <thead><tr><th scope="col">${word("when", language)}</th><th scope="col">${word("change", language)}</th>
        <th scope="col" class="figure">${word("value", language)}</th><th scope="col" class="figure">${word("expected_then", language)}</th></tr></thead>
      <tbody>${body.statuses.map((each) => html`<tr key=${each.at + each.after}>
        <td>${instant(each.at, strategy, language)}</td>
        <td><${Status} status=${each.before} site=${site} /> → <${Status} status=${each.after} site=${site} /></td>
        <td class="figure">${value(each.value, kpi, strategy, language)}</td><td class="figure">${value(each.expected, kpi, strategy, language)}</td>
      </tr>`)}</tbody></table></div>`}
  </section>`;
}

function Definition({ body, kpi, site }) {
  const { language, strategy } = site;
  const facts = [
    ["formula", named(body.definition.formula, language)],
    ["source", kpi.source],
    ["owner", kpi.owner],
    ["minimum", number(kpi.minimum_sample, 0, language)],
  ];
  return html`<section><h2>${word("definition", language)}</h2>
    <dl class="facts wide">${facts.map(([name, text]) => html`<div key=${name}><dt>${word(name, language)}</dt><dd>${text}</dd></div>`)}</dl>
    ${body.benchmarks.length > 0 && html`<h3>${word("benchmarks", language)}</h3><ul>${body.benchmarks.map((each) => html`<li key=${each.id}>
      ${each.who}, ${each.period}: <b>${value(each.value, kpi, strategy, language)}</b> <span class="quiet">${each.source}</span></li>`)}</ul>`}
    <h3>${word("initiatives", language)}</h3>
    ${body.initiatives.length === 0 ? html`<p class="quiet">${word("initiatives_none", language)}</p>` : html`<ul>${body.initiatives.map((each) => html`<li key=${each.id}>
      ${named(each.name, language)} · ${each.owner} · ${word("progress", language)} <b>${percent(each.progress, language)}</b>
      <span class="quiet"> ${word("ends", language)} ${day(each.end, strategy, language)}</span></li>`)}</ul>`}
  </section>`;
}
