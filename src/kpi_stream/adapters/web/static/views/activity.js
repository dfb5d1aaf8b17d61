// What changed lately, which work is overdue, and how good the data are.

import { html } from "../vendor/htm-preact.js";
import { day, instant, length, member, named, number, percent, value } from "../format.js";
import { Link, Pending, Status, useAnswer } from "../parts.js";
import { span, word } from "../words.js";

export function Activity({ site }) {
  return html`<h1>${word("activity", site.language)}</h1>
    <${Transitions} site=${site} /><${Initiatives} site=${site} /><${Quality} site=${site} />`;
}

function Transitions({ site }) {
  const { language, strategy } = site;
  const answer = useAnswer("transitions", { limit: 50 }, site);
  return html`<section><h2>${word("transitions", language)}</h2>
    ${!answer.body ? html`<${Pending} answer=${answer} site=${site} />` : answer.body.transitions.length === 0
      ? html`<p class="quiet">${word("statuses_none", language)}</p>`
      : html`<div class="wide" tabindex="0" role="region" aria-label=${word("transitions", language)}><table class="cards">
        <thead><tr>${["when", "kpi", "change", "value", "expected_then"].map((name, at) => html`<th key=${name} scope="col" class=${at > 2 ? "figure" : ""}>${word(name, language)}</th>`)}</tr></thead>
        <tbody>${answer.body.transitions.map((each) => {
          const kpi = site.kpis.get(each.kpi);
          return kpi && html`<tr key=${[each.kpi, each.window, each.dimension, each.member, each.sequence].join()}>
            <td>${instant(each.at, strategy, language)}</td>
            <th scope="row"><${Link} to=${`/kpi/${kpi.id}`} site=${site} query=${{ window: each.window, ...(each.dimension === "office" ? { office: each.member } : {}) }}>${named(kpi.name, language)}<//>
              <span class="quiet"> ${span(each.window, language)}${each.member && ` · ${member(strategy, each.dimension, each.member, language)}`}</span></th>
            <td><${Status} status=${each.before} site=${site} /> → <${Status} status=${each.after} site=${site} /></td>
            <td class="figure" data-label=${word("value", language)}>${value(each.value, kpi, strategy, language)}</td>
            <td class="figure" data-label=${word("expected_then", language)}>${value(each.expected, kpi, strategy, language)}</td></tr>`;
        })}</tbody></table></div>`}
  </section>`;
}

const shares = ["progress", "elapsed", "spent"];

/** The share by which progress may stay behind the time, as on Grafana's dashboard. */
const SLACK = 0.05;
const slow = (each) => each.progress < each.elapsed - SLACK;

function Initiatives({ site }) {
  const { language, strategy } = site;
  const answer = useAnswer("initiatives", {}, site, 60_000);
  if (!answer.body) return html`<section><h2>${word("initiatives", language)}</h2><${Pending} answer=${answer} site=${site} /></section>`;
  const overdue = answer.body.initiatives.flatMap((each) => each.overdue_actions.map((action) => ({ ...action, of: each })));
  return html`<section><h2>${word("initiatives", language)}</h2>
    <div class="wide" tabindex="0" role="region" aria-label=${word("initiatives", language)}><table class="cards">
      <thead><tr>${["initiative", "owner", ...shares].map((name) => html`<th key=${name} scope="col" class=${shares.includes(name) ? "figure" : ""}>${word(name, language)}</th>`)}</tr></thead>
      <tbody>${answer.body.initiatives.map((each) => html`<tr key=${each.id} class=${slow(each) ? "at_risk" : ""}>
        <th scope="row">${named(each.name, language)}
          ${slow(each) && html` <span class="status">▲ ${word("lags", language)}</span>`}</th><td>${each.owner}</td>
        ${shares.map((name) => html`<td key=${name} class="figure" data-label=${word(name, language)}>${percent(each[name], language)}</td>`)}</tr>`)}</tbody>
    </table></div>
    <h3>${word("overdue", language)} <b>${overdue.length}</b></h3>
    <ul>${overdue.map((each) => html`<li key=${each.of.id + each.due + each.responsible}>■ ${named(each.name, language)} ·
      ${word("due", language)} ${day(each.due, strategy, language)} · ${each.responsible}
      <span class="quiet"> ${named(each.of.name, language)}</span></li>`)}</ul>
  </section>`;
}

function Quality({ site }) {
  const { language, strategy } = site;
  const answer = useAnswer("quality", {}, site);
  if (!answer.body) return html`<section><h2>${word("quality", language)}</h2><${Pending} answer=${answer} site=${site} /></section>`;
  const { body } = answer;
  const facts = [
    ["quality_lag", body.lag_events == null ? "—" : number(body.lag_events, 0, language)],
    ["quality_age", length(body.data_age_s, language)],
    ["quality_rejected", body.rejected == null ? "—" : word("of_latest", language, { count: number(body.rejected, 0, language), of: number(body.rejected_of, 0, language) })],
    ["quality_conflicting", number(body.conflicting, 0, language)],
    ["quality_clamped", number(body.clamped, 0, language)],
  ];
  const reasons = Object.entries(body.rejected_by_reason).sort((one, other) => other[1] - one[1]);
  const silent = body.silent_offices.filter((each) => each.silent_s != null);
  const unheard = body.silent_offices.filter((each) => each.silent_s == null).map((each) => member(strategy, "office", each.office, language));
  return html`<section><h2>${word("quality", language)}</h2>
    <dl class="facts">${facts.map(([name, text]) => html`<div key=${name}><dt>${word(name, language)}</dt><dd>${text}</dd></div>`)}</dl>
    ${reasons.length > 0 && html`<h3>${word("rejected", language)}</h3>
      <ul class="columns">${reasons.map(([reason, count]) => html`<li key=${reason}>${word(`rejected_${reason}`, language)} <b>${number(count, 0, language)}</b></li>`)}</ul>`}
    <h3>${word("silent", language)}</h3>
    ${body.silent_offices.length === 0 ? html`<p class="quiet">${word("silent_none", language)}</p>` : html`<ul class="columns">${silent.map((each) => html`<li key=${each.office}>
      ${member(strategy, "office", each.office, language)} <span class="quiet">${length(each.silent_s, language)}</span></li>`)}</ul>`}
    ${unheard.length > 0 && html`<p class="quiet">${word("unheard", language, { offices: unheard.join(", ") })}</p>`}
  </section>`;
}
