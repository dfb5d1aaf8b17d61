// The scorecard: one row a judged series, beside what it should be today and at the deadline.

import { html } from "../vendor/htm-preact.js";
import { deadline, length, member, named, number, signed, value } from "../format.js";
import { Choice, Link, OfficeChoice, Pending, severity, Sparkline, Status, useAnswer, Value } from "../parts.js";
import { span, word } from "../words.js";

/** Every row: series of a KPI under the objective that it belongs to. */
function rows(body, site) {
  const found = [];
  for (const band of body.perspectives) {
    for (const objective of band.objectives) {
      for (const part of objective.kpis) {
        for (const series of part.series) {
          found.push({ band, objective, kpi: site.kpis.get(part.kpi), series });
        }
      }
    }
  }
  for (const part of body.other_kpis) {
    for (const series of part.series) found.push({ kpi: site.kpis.get(part.kpi), series });
  }
  return found;
}

export function Scorecard({ site }) {
  const { language, query, strategy } = site;
  const answer = useAnswer("scorecard", { office: query.office }, site, 1_000);
  if (!answer.body) return html`<${Pending} answer=${answer} site=${site} />`;
  const all = rows(answer.body, site);
  const owners = [...new Set(all.map((row) => row.kpi.owner))].sort();
  const matching = all
    .filter((row) => !query.perspective || row.band?.id === query.perspective)
    .filter((row) => !query.owner || row.kpi.owner === query.owner)
    .filter((row) => !query.status || (row.series.status ?? "no_target") === query.status);
  // Of the whole country: an office with too few to say anything is not worth a row among the others.
  const spare = query.office || query.status ? [] : matching.filter((row) => row.series.dimension === "office" && row.series.status === "no_data");
  const shown = matching.filter((row) => !spare.includes(row));
  const counts = ["off_track", "at_risk", "on_track", "no_data"].map((status) => [
    status,
    all.filter((row) => row.series.status === status).length,
  ]);
  return html`<section>
    <h1>${word("scorecard", language)}</h1>
    <div class="choices">
      <${OfficeChoice} site=${site} />
      <${Choice} name="perspective" label=${word("perspective", language)} site=${site} empty=${word("all_of_them", language)}
        options=${strategy.perspectives.map((each) => [each.id, named(each.name, language)])} />
      <${Choice} name="owner" label=${word("owner", language)} site=${site} empty=${word("all", language)}
        options=${owners.map((each) => [each, each])} />
      <${Choice} name="status" label=${word("status", language)} site=${site} empty=${word("all", language)}
        options=${[...counts.map(([status]) => status), "no_target"].map((each) => [each, word(each, language)])} />
    </div>
    <ul class="counts">${counts.map(
      ([status, count]) => html`<li key=${status}><${Status} status=${status} site=${site} /> <b>${count}</b></li>`,
    )}</ul>
    ${shown.length === 0 ? html`<p class="pending">${word("nothing", language)}</p>` : html`<${Table} shown=${shown} body=${answer.body} site=${site} />`}
    ${spare.length > 0 && html`<p class="quiet">${word("spare", language, { count: number(spare.length, 0, language) })} <${Link} to="/scorecard" site=${site} query=${{ status: "no_data" }}>${word("show_them", language)}<//></p>`}
  </section>`;
}

function Table({ shown, body, site }) {
  const { language } = site;
  const names = ["status", "kpi", "value", "expected", "gap", "target", "trend", "forecast", "samples", "age", "objective", "owner"];
  const sorted = [...shown].sort((one, other) => severity(one.series.status) - severity(other.series.status));
  return html`<div class="wide" tabindex="0" role="region" aria-label=${word("scorecard", language)}>
    <table class="scorecard cards">
      <thead><tr>${names.map((name) => html`<th key=${name} scope="col" class=${name}>${word(name, language)}</th>`)}</tr></thead>
      <tbody>${sorted.map((row) => html`<${Row} key=${[row.objective?.id, row.kpi.id, row.series.window, row.series.dimension, row.series.member].join()} ...${row} body=${body} site=${site} />`)}</tbody>
    </table>
  </div>`;
}

function Row({ objective, kpi, series, body, site }) {
  const { language, strategy } = site;
  const codes = new Map(strategy.objectives.map((each) => [each.id, each.code]));
  const show = (amount) => value(amount, kpi, strategy, language);
  const { target } = series;
  const goal = target && (target.low == null ? show(target.value) : `${show(target.low)} – ${show(target.value)}`);
  const changed = site.evaluation?.changed?.includes(kpi.id) ? "changed" : "";
  const place = series.dimension === "office" ? { office: series.member } : {};
  return html`<tr class="${series.status ?? "no_target"} ${changed}">
    <td class="status"><${Status} status=${series.status} site=${site} /></td>
    <th scope="row"><${Link} to=${`/kpi/${kpi.id}`} site=${site} query=${{ ...place, window: series.window }}>
      ${named(kpi.name, language)}<//>
      <span class="quiet">${" "}${kpi.code} · ${span(series.window, language)}${series.member && ` · ${member(strategy, series.dimension, series.member, language)}`}</span></th>
    <td class="value"><${Value} reading=${series} kpi=${kpi} site=${site} /></td>
    <td class="expected" data-label=${word("expected", language)}>${show(series.expected)}</td>
    <td class="gap" data-label=${word("gap", language)}>${signed(series.gap, kpi, strategy, language)}</td>
    <td class="target" data-label=${word("target", language)}>${goal ?? "—"}
      ${target && html`<span class="quiet"> ${deadline(target.deadline, strategy, language)}</span>`}</td>
    <td class="trend"><${Sparkline} points=${series.trend ?? []} label=${word("trend", language)} /></td>
    <td class="forecast">${show(series.forecast)}</td>
    <td class="samples" data-label=${word("samples", language)}>${number(series.samples, 0, language)}</td>
    <td class="age">${length(body.data_age_s, language)}</td>
    <td class="objective" title=${objective && named(objective.name, language)}>${objective && (codes.get(objective.id) || named(objective.name, language))}</td>
    <td class="owner">${kpi.owner}</td>
  </tr>`;
}
