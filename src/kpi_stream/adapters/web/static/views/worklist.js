// Which declarations are late, or about to be, and who holds them.

import { html } from "../vendor/htm-preact.js";
import { hours, length, member, named, number, percent } from "../format.js";
import { Choice, OfficeChoice, Pending, useAnswer } from "../parts.js";
import { word } from "../words.js";

export function Worklist({ site }) {
  const { language, query, strategy } = site;
  const answer = useAnswer("worklist", { office: query.office, stage: query.stage, holder: query.holder }, site);
  const stages = strategy.way?.stages.filter((each) => each.inside) ?? [];
  return html`<section><h1>${word("worklist", language)}</h1>
    <div class="choices">
      <${OfficeChoice} site=${site} />
      <${Choice} name="stage" label=${word("stage", language)} site=${site} empty=${word("all_of_them", language)}
        options=${stages.map((each) => [each.id, named(each.name, language)])} />
      <${Choice} name="holder" label=${word("holder", language)} site=${site} empty=${word("all", language)}
        options=${strategy.holders.map((each) => [each.id, named(each.name, language)])} />
    </div>
    ${answer.body
      ? answer.body.worklists.map((each) => html`<${List} key=${each.id} list=${each} body=${answer.body} site=${site} />`)
      : html`<${Pending} answer=${answer} site=${site} />`}
  </section>`;
}

function List({ list, body, site }) {
  const { language, strategy } = site;
  const names = ["declaration", "office", "channel", "used", "waits", "holder"];
  const kpi = site.kpis.get(list.kpi);
  return html`<section>
    <h2>${named(kpi.name, language)}</h2>
    <ul class="counts"><li><span class="status off_track">■ ${word("late", language)}</span> <b>${number(list.late, 0, language)}</b></li>
      <li><span class="status at_risk">▲ ${word("close", language)}</span> <b>${number(list.close, 0, language)}</b></li></ul>
    ${(site.query.stage || site.query.holder) && html`<p class="quiet">${word("whatever_stage", language)}</p>`}
    ${list.entries.length === 0 ? html`<p class="pending">${word("worklist_none", language)}</p>` : html`<div class="wide" tabindex="0" role="region" aria-label=${word("worklist", language)}><table class="worklist cards">
      <thead><tr>${names.map((name) => html`<th key=${name} scope="col">${word(name, language)}</th>`)}</tr></thead>
      <tbody>${list.entries.map((each) => html`<${Entry} key=${each.subject} entry=${each} list=${list} body=${body} site=${site} strategy=${strategy} />`)}</tbody>
    </table></div>`}
    ${list.more > 0 && html`<p class="quiet">${word("more", language, { count: number(list.more, 0, language) })}</p>`}
  </section>`;
}

function Entry({ entry, list, body, site, strategy }) {
  const { language } = site;
  const now = Date.parse(body.as_of);
  const stage = strategy.way?.stages.find((each) => each.id === entry.stage);
  const holder = strategy.holders.find((each) => each.id === entry.holder);
  const spent = (now - Date.parse(entry.started)) / 1_000;
  const waiting = (now - Date.parse(entry.waiting_since)) / 1_000;
  const times = { used: hours(spent, language), limit: hours(list.limit_s, language) };
  return html`<tr class=${entry.used > 1 ? "off_track" : "at_risk"}>
    <th scope="row">${entry.subject}</th>
    <td data-label=${word("office", language)}>${member(strategy, "office", entry.office, language)}</td>
    <td data-label=${word("channel", language)}>${entry.channel ? html`<span class="channel ${entry.channel}">${word(entry.channel, language)}</span>` : "—"}</td>
    <td data-label=${word("used", language)}><span class="status" aria-hidden="true">${entry.used > 1 ? "■" : "▲"}</span> <b>${percent(entry.used, language)}</b>
      <span class="quiet"> ${word("of_limit", language, times)}</span></td>
    <td data-label=${word("waits", language)}>${stage ? named(stage.name, language) : "—"} <span class="quiet">${word("since", language)} ${length(waiting, language)}</span></td>
    <td data-label=${word("holder", language)}>${holder ? named(holder.name, language) : "—"}</td>
  </tr>`;
}
