// Who holds the time: the release time split into stages, live.

import { html } from "../vendor/htm-preact.js";
import { length, member, named, number, percent } from "../format.js";
import { Choice, Pending, useAnswer } from "../parts.js";
import { span, word } from "../words.js";

const figures = ["had_it", "mean", "p50", "p90", "part", "share"];

export function Stages({ site }) {
  const { language, query, strategy } = site;
  const { way } = strategy;
  const window = way?.windows.includes(query.window) ? query.window : way?.windows[0];
  const dimension = way?.dimensions.includes(query.dimension) ? query.dimension : "";
  const answer = useAnswer(way && "stages", { window, dimension }, site);
  const title = html`<h1>${word("stages", language)}</h1>`;
  if (!way) return html`<section>${title}<p class="pending">${word("stages_none", language)}</p></section>`;
  const names = new Map(strategy.dimensions.map((each) => [each.id, named(each.name, language)]));
  return html`<section>${title}
    <div class="choices">
      <${Choice} name="window" label=${word("window", language)} site=${site} chosen=${window} options=${way.windows.map((each) => [each, span(each, language)])} />
      <${Choice} name="dimension" label=${word("split_by", language)} site=${site} empty=${word("everywhere", language)}
        options=${way.dimensions.map((each) => [each, names.get(each)])} />
    </div>
    ${!answer.body
      ? html`<${Pending} answer=${answer} site=${site} />`
      : answer.body.members.length === 0
        ? html`<p class="pending">${word("nothing", language)}</p>`
        : answer.body.members.map((each) => html`<${Way} key=${each.member} reading=${each} dimension=${dimension} site=${site} />`)}
  </section>`;
}

function Way({ reading, dimension, site }) {
  const { language, strategy } = site;
  const stages = new Map(strategy.way.stages.map((each) => [each.id, each]));
  const holders = new Map(strategy.holders.map((each) => [each.id, named(each.name, language)]));
  const inner = reading.stages.filter((each) => each.inside && each.part_s > 0);
  const note = { mean: length(reading.mean_s, language), samples: number(reading.samples, 0, language) };
  // A name that does not fit is left out; the table below has them all.
  const width = document.documentElement.clientWidth - 60;
  const fits = (text, share) => text.length * 8 + 16 < share * width;
  const held = new Map();
  for (const each of inner) held.set(each.holder, (held.get(each.holder) ?? 0) + each.part_s);
  const ranked = [...held].sort((one, other) => other[1] - one[1]);
  return html`<section class="way">
    ${dimension && html`<h2>${member(strategy, dimension, reading.member, language)}</h2>`}
    <p>${word("stages_note", language, note)}</p>
    <div class="strip" role="img" aria-label=${inner.map((each) => `${named(stages.get(each.stage).name, language)} ${length(each.part_s, language)}`).join(", ")}>
      ${inner.map((each) => html`<span key=${each.stage} class="holder-${each.holder}"
        style=${{ flexGrow: each.part_s }} title=${`${named(stages.get(each.stage).name, language)}: ${length(each.part_s, language)}`}>
        ${fits(named(stages.get(each.stage).name, language), each.part_s / reading.mean_s) && html`<b>${named(stages.get(each.stage).name, language)}</b>`}
        ${fits(length(each.part_s, language), each.part_s / reading.mean_s) && length(each.part_s, language)}</span>`)}
    </div>
    <ul class="holders">${ranked.map(([holder, seconds]) => html`<li key=${holder}>
      <span class="swatch holder-${holder}" aria-hidden="true"></span>${holders.get(holder)}${" "}
      <b>${percent(seconds / reading.mean_s, language)}</b> ${length(seconds, language)}</li>`)}</ul>
    <div class="wide" tabindex="0" role="region" aria-label=${[word("stages", language), dimension && member(strategy, dimension, reading.member, language)].filter(Boolean).join(": ")}><table class="cards">
      <thead><tr>${["stage", "holder", ...figures].map((name) => html`<th key=${name} scope="col" class=${figures.includes(name) ? "figure" : ""}>${word(name, language)}</th>`)}</tr></thead>
      <tbody>${reading.stages.map((each) => html`<tr key=${each.stage}>
        <th scope="row">${named(stages.get(each.stage).name, language)}${!each.inside && html` <span class="quiet">${word("after_release", language)}</span>`}</th>
        <td class="who">${holders.get(each.holder)}</td>
        ${[
          number(each.samples, 0, language),
          ...[each.mean_s, each.p50_s, each.p90_s, each.part_s].map((one) => length(one, language)),
          each.part_s == null || !reading.mean_s ? "—" : percent(each.part_s / reading.mean_s, language),
        ].map((text, at) => html`<td key=${at} class="figure" data-label=${word(figures[at], language)}>${text}</td>`)}
      </tr>`)}</tbody></table></div>
  </section>`;
}
