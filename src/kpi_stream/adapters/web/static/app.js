// The page: what is shown, where it comes from, and the address that says so.

import { html, render, useEffect, useMemo, useRef, useState } from "./vendor/htm-preact.js";
import { ask, follow } from "./api.js";
import { instant, length, named } from "./format.js";
import { Link } from "./parts.js";
import { Activity } from "./views/activity.js";
import { KpiPage } from "./views/kpi.js";
import { MapView } from "./views/map.js";
import { Scorecard } from "./views/scorecard.js";
import { Stages } from "./views/stages.js";
import { Worklist } from "./views/worklist.js";
import { word } from "./words.js";

const VIEWS = {
  "": ["map", MapView],
  scorecard: ["scorecard", Scorecard],
  stages: ["stages", Stages],
  worklist: ["worklist", Worklist],
  activity: ["activity", Activity],
};
/** What a link takes along from one view to the next. */
const KEPT = ["office", "window", "language"];
const THEMES = ["auto", "light", "dark"];

function read(location) {
  const [view = "", ...rest] = location.pathname.split("/").filter(Boolean);
  return { view, rest, query: Object.fromEntries(new URLSearchParams(location.search)) };
}

function addressOf(path, query) {
  const given = Object.entries(query).filter(([, value]) => value);
  const words = new URLSearchParams(given).toString();
  return words ? `${path}?${words}` : path;
}

/** The evaluation that the stream told of last, and whether the stream is there. */
function useLive() {
  const [live, setLive] = useState(null);
  const [evaluation, setEvaluation] = useState(null);
  useEffect(() => follow(setEvaluation, setLive), []);
  return { live, evaluation };
}

/** What does not change between evaluations; asked again when another strategy is in force. */
function useStrategy(version, live) {
  const [answer, setAnswer] = useState({});
  useEffect(() => {
    let current = true;
    ask("strategy").then(
      (body) => current && setAnswer({ body }),
      (error) => current && setAnswer((before) => ({ ...before, error })),
    );
    return () => {
      current = false;
    };
  }, [version, live]);
  return answer;
}

function useTheme() {
  const [theme, setTheme] = useState(() => localStorage.getItem("theme") ?? "auto");
  useEffect(() => {
    localStorage.setItem("theme", theme);
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return [theme, setTheme];
}

function useAddress() {
  const [place, setPlace] = useState(() => read(window.location));
  useEffect(() => {
    const back = () => setPlace(read(window.location));
    window.addEventListener("popstate", back);
    return () => window.removeEventListener("popstate", back);
  }, []);
  const go = (address) => {
    window.history.pushState(null, "", address);
    setPlace(read(window.location));
  };
  return [place, go];
}

/** How old the newest evaluation is on this screen, second by second. */
function Clock({ site }) {
  const heard = useRef(Date.now());
  const [, tick] = useState(0);
  useEffect(() => {
    heard.current = Date.now();
  }, [site.evaluation]);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), 1_000);
    return () => clearInterval(timer);
  }, []);
  const { language, evaluation } = site;
  if (site.live === false) {
    return html`<p class="clock broken" role="alert">${word("broken", language)}</p>`;
  }
  if (!evaluation) return html`<p class="clock" role="status">${word("loading", language)}</p>`;
  const seconds = Math.max(0, Math.round((Date.now() - heard.current) / 1_000));
  const notes = [
    evaluation.caught_up === false && word("behind", language),
    evaluation.stale && word("stale", language),
  ].filter(Boolean);
  return html`<p class="clock ${notes.length ? "warned" : ""}">
    <span class="dot" aria-hidden="true">●</span> ${word("live", language)} ·
    ${" "}${word("updated", language)} ${length(seconds, language)}${word("ago", language)}
    ${notes.map((note) => html` · <strong>${note}</strong>`)}
  </p>`;
}

function Header({ site, theme, setTheme }) {
  const { language, strategy } = site;
  const other = language === "es" ? "en" : "es";
  return html`<header>
    <a class="skip" href="#content">${word("skip", language)}</a>
    <div class="title">
      <p class="name">${named(strategy.name, language)}</p>
      <${Clock} site=${site} />
    </div>
    <nav aria-label="kpi-stream">
      ${Object.entries(VIEWS).map(
        ([path, [name]]) => html`<${Link} key=${path} to=${`/${path}`} site=${site}
          aria-current=${site.view === path ? "page" : undefined}>${word(name, language)}<//>`,
      )}
      <a href="/kpis?language=${language}">${word("dictionary", language)}</a>
      <a href="/runbook?language=${language}">${word("runbook", language)}</a>
    </nav>
    <div class="tools">
      <button type="button" lang=${other} onClick=${() => site.choose({ language: other })}>
        ${word("language", language)}
      </button>
      <label class="choice"><span class="unseen">${word("theme", language)}</span>
        <select value=${theme} onChange=${(event) => setTheme(event.target.value)}>
          ${THEMES.map((each) => html`<option key=${each} value=${each}>${word(`theme_${each}`, language)}</option>`)}
        </select>
      </label>
      <button type="button" onClick=${() => window.print()}>${word("print", language)}</button>
    </div>
  </header>`;
}

function App() {
  const { live, evaluation } = useLive();
  const strategyAnswer = useStrategy(evaluation?.version, live);
  const [theme, setTheme] = useTheme();
  const [place, go] = useAddress();
  const strategy = strategyAnswer.body;
  const language = ["es", "en"].includes(place.query.language)
    ? place.query.language
    : strategy?.language ?? (navigator.language.startsWith("en") ? "en" : "es");
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const kpis = useMemo(() => new Map(strategy?.kpis.map((each) => [each.id, each])), [strategy]);
  if (!strategy) {
    const { error } = strategyAnswer;
    return html`<main class="alone" id="content">
      <p role=${error ? "alert" : "status"}>
        ${error ? `${word("unreachable", language)} ${error.message}` : word("loading", language)}
      </p>
    </main>`;
  }
  const site = {
    strategy,
    kpis,
    language,
    live,
    evaluation,
    view: place.view,
    query: place.query,
    address: (path, query = {}) => {
      const kept = Object.fromEntries(KEPT.map((name) => [name, place.query[name]]));
      return addressOf(path, { ...kept, ...query });
    },
    choose: (changes) => go(addressOf(window.location.pathname, { ...place.query, ...changes })),
    follow: (event, address) => {
      if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      go(address);
      window.scrollTo(0, 0);
      document.getElementById("content")?.focus({ preventScroll: true });
    },
  };
  const [name, View] = VIEWS[place.view] ?? [];
  const kpi = place.view === "kpi" ? kpis.get(decodeURIComponent(place.rest[0] ?? "")) : null;
  const title = kpi ? named(kpi.name, language) : name && word(name, language);
  document.title = title ? `${title} · ${named(strategy.name, language)}` : "kpi-stream";
  let content = html`<h1>${word("not_found", language)}</h1>`;
  if (kpi) content = html`<${KpiPage} key=${kpi.id} kpi=${kpi} site=${site} />`;
  else if (View) content = html`<${View} site=${site} />`;
  return html`
    <${Header} site=${site} theme=${theme} setTheme=${setTheme} />
    <main id="content" tabindex="-1" class=${live === false ? "old" : ""}>${content}</main>
    <footer class="quiet">${evaluation && word("as_of", language, { instant: instant(evaluation.as_of, strategy, language), zone: strategy.time_zone })}</footer>
  `;
}

render(html`<${App} />`, document.getElementById("app"));
