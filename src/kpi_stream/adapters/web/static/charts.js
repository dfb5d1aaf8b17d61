// Charts with axes, drawn by uPlot; lines carry their names, so that no legend is needed.

import { html, useEffect, useRef } from "./vendor/htm-preact.js";
import { day, month, number, shortDay } from "./format.js";

const HEIGHT = 300;

/** A colour of the page as it is now; the theme may change, and paper is white. */
const colour = (plot, name) => getComputedStyle(plot.root).getPropertyValue(name).trim();
const TONES = { main: "--accent", aim: "--aim", quiet: "--quiet" };

/** Room for the names of the lines: as much as they need, on a phone a third of the width. */
const ROOM = 190;
const room = (width) => Math.min(ROOM, width / 3);
const STEP = 14;

/** Return a text in lines that fit, broken between words. */
function wrapped(ctx, text, width) {
  const lines = [];
  for (const each of text.split(" ")) {
    const longer = lines.length ? `${lines.at(-1)} ${each}` : each;
    if (lines.length && ctx.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(each);
  }
  return lines;
}

/** Names the lines at their right ends, moved apart where they would meet. */
function named(lines) {
  return (plot) => {
    const { ctx, bbox } = plot;
    const width = (room(plot.width) - 8) * devicePixelRatio;
    ctx.save();
    ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    const labels = lines
      .map((line, at) => {
        const points = plot.data[at + 1];
        const last = points.findLastIndex((each) => each != null);
        return last < 0 ? null : { texts: wrapped(ctx, line.name, width), tone: line.tone, y: plot.valToPos(points[last], "y", true) };
      })
      .filter(Boolean)
      .sort((one, other) => one.y - other.y);
    const step = STEP * devicePixelRatio;
    let free = -Infinity;
    for (const each of labels) {
      each.y = Math.max(each.y, free);
      free = each.y + step * each.texts.length;
    }
    // What was moved below the plot goes up again, and those above it make room.
    let floor = bbox.top + bbox.height + step;
    for (const each of labels.reverse()) {
      each.y = Math.min(each.y, floor - step * each.texts.length);
      floor = each.y;
      ctx.fillStyle = colour(plot, TONES[each.tone]);
      each.texts.forEach((text, at) => ctx.fillText(text, bbox.left + bbox.width + 6 * devicePixelRatio, each.y + at * step));
    }
    ctx.restore();
  };
}

/**
 * Lines over time.
 *
 * `times` in seconds since 1970; each of `lines` is {name, values, tone: "main"|"aim"|"quiet", dashed}.
 */
export function Lines({ times, lines, kpi, site, label }) {
  const place = useRef(null);
  const { divisor, decimals, suffix } = kpi.shown;
  const { language, strategy } = site;
  const key = JSON.stringify([times, lines, language]);
  useEffect(() => {
    const paint = (name) => (plot) => colour(plot, name);
    const narrow = place.current.clientWidth < 600;
    const days = (times.at(-1) - times[0]) / 86_400;
    const written = !narrow ? day : days < 150 ? shortDay : month;
    const when = (seconds) => written(new Date(seconds * 1_000).toISOString(), strategy, language);
    const axis = { stroke: paint("--quiet"), grid: { stroke: paint("--rule") }, ticks: { stroke: paint("--rule") } };
    const options = {
      width: place.current.clientWidth,
      height: HEIGHT,
      padding: [12, () => room(place.current?.clientWidth ?? 0), 0, 0],
      legend: { show: false },
      cursor: { drag: { x: false, y: false } },
      tzDate: (seconds) => window.uPlot.tzDate(new Date(seconds * 1_000), strategy.time_zone),
      scales: { x: { time: true } },
      axes: [
        { ...axis, values: (_, splits) => splits.map(when), space: narrow ? 64 : 110 },
        { ...axis, size: 74, values: (_, splits) => splits.map((each) => number(each, Number.isInteger(each) ? 0 : decimals, language) + suffix) },
      ],
      series: [
        {},
        ...lines.map((line) => ({
          stroke: paint(TONES[line.tone]),
          width: line.tone === "main" ? 2.5 : 1.5,
          dash: line.dashed ? [6, 4] : undefined,
          points: { show: line.tone === "main" && line.values.filter((each) => each != null).length < 40, size: 5 },
          spanGaps: line.tone !== "main",
        })),
      ],
      hooks: { draw: [named(lines)] },
    };
    // To uPlot null is a gap, and undefined a time of another line.
    const scaled = lines.map((line) => line.values.map((each) => each && each / divisor));
    const plot = new window.uPlot(options, [times, ...scaled], place.current);
    const watcher = new ResizeObserver(() => plot.setSize({ width: place.current.clientWidth, height: HEIGHT }));
    watcher.observe(place.current);
    const repaint = () => plot.redraw(false);
    const media = ["(prefers-color-scheme: dark)", "print"].map((each) => matchMedia(each));
    for (const each of media) each.addEventListener("change", repaint);
    const theme = new MutationObserver(repaint);
    theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      watcher.disconnect();
      theme.disconnect();
      for (const each of media) each.removeEventListener("change", repaint);
      plot.destroy();
    };
  }, [key]);
  return html`<div class="chart" role="img" aria-label=${label} ref=${place}></div>`;
}

/** Names under the bars of a histogram. */
const TICKS = 6;

/** A histogram of lengths of time, as bars of an SVG; the limit is a line across. */
export function Histogram({ bars, limit, show, label, note }) {
  const most = Math.max(...bars.map((each) => each.count));
  const width = 100 / bars.length;
  const step = Math.ceil(bars.length / TICKS);
  const at = limit == null ? -1 : bars.findIndex((each) => each.to_s == null || limit < each.to_s);
  // Where the limit lies within its bar; the last one has no width.
  const across = (place) => {
    const { from_s: from, to_s: to } = bars[place];
    return (place + (to == null ? 0.5 : (limit - from) / (to - from))) * width;
  };
  return html`<figure class="histogram">
    <svg role="img" aria-label=${label.chart} viewBox="0 0 100 40" preserveAspectRatio="none">
      ${bars.map(
        (each, place) => html`<rect key=${place} class=${limit != null && each.from_s >= limit ? "beyond" : ""}
          x=${place * width + width * 0.08} width=${width * 0.84}
          y=${40 - (each.count / most) * 38} height=${(each.count / most) * 38}>
          <title>${each.to_s == null ? `> ${show(each.from_s)}` : `${show(each.from_s)} – ${show(each.to_s)}`}: ${each.count}</title></rect>`,
      )}
      ${at >= 0 && html`<line x1=${across(at)} x2=${across(at)} y1="0" y2="40" />`}
    </svg>
    <div class="ticks" aria-hidden="true">${bars.map((each, place) => place % step === 0 && html`<span key=${place} style=${{ left: `${place * width}%` }}>
      ${each.to_s == null ? `> ${show(each.from_s)}` : show(each.from_s)}</span>`)}</div>
    ${at >= 0 && html`<div class="ticks limit"><span class=${across(at) > 50 ? "left" : ""} style=${{ left: `${across(at)}%` }}>${label.limit} ${show(limit)}</span></div>`}
    <figcaption class="quiet">${note}</figcaption>
  </figure>`;
}
