// Draws a Canvas panel of a dashboard file as Grafana places it, from answers of Prometheus.
//
// Written after Grafana's published JSON model and what its Canvas does with it: `scale` places by
// percent, nothing is smaller than ten pixels, fonts keep their size, a connection is a straight
// line from a point of one element to a point of another (x from -1 to 1, y upwards).
'use strict';

const SMALLEST_PX = 10;
const THEMES = {
  dark: { text: 'rgb(204, 204, 220)', 'panel-bg': '#181b1f', page: '#111217' },
  light: { text: 'rgb(36, 41, 46)', 'panel-bg': '#ffffff', page: '#f4f5f5' },
};

/** Return the fields of all frames: [{name, value}], the last value of each. */
function fieldsOf(panel, answers) {
  const fields = [];
  for (const target of panel.targets) {
    const series = answers[target.refId] ?? [];
    if (target.format !== 'table') {
      for (const { metric, value } of series) {
        const name = target.legendFormat.replace(/{{\s*(\w+)\s*}}/g, (_, label) => metric[label] ?? '');
        fields.push({ name, value: Number(value[1]) });
      }
      continue;
    }
    const made = panel.transformations.filter((each) => each.filter.options === target.refId);
    for (const { id, options } of made) {
      if (id !== 'groupingToMatrix') throw new Error(`not known here: ${id}`);
      for (const { metric } of series) {
        fields.push({ name: metric[options.columnField], value: metric[options.valueField] });
      }
    }
  }
  return fields;
}

/** Return {text, colour} of a field: unit, decimals and value mappings of its configuration. */
function shown(panel, field) {
  const config = { ...panel.fieldConfig.defaults };
  for (const { matcher, properties } of panel.fieldConfig.overrides) {
    const regexp = /^\/(.*)\/$/.exec(matcher.options);
    const meant =
      matcher.id === 'byName' ? matcher.options === field.name : new RegExp(regexp[1]).test(field.name);
    if (meant) for (const { id, value } of properties) config[id] = value;
  }
  for (const mapping of config.mappings ?? []) {
    const result = mapping.type === 'value' ? mapping.options[String(field.value)] : undefined;
    if (result) return { text: result.text, colour: result.color };
  }
  if (config.unit === 'percentunit') {
    return { text: `${(100 * field.value).toFixed(config.decimals ?? 0)}%` };
  }
  return { text: String(field.value) };
}

/** Draw the panel into an element of the panel's inner size. */
function draw(into, panel, answers, themeName) {
  const theme = THEMES[themeName];
  const fields = new Map(fieldsOf(panel, answers).map((field) => [field.name, shown(panel, field)]));
  const colour = (wanted) => {
    if (wanted?.field && fields.has(wanted.field)) return fields.get(wanted.field).colour ?? '#ccc';
    return theme[wanted?.fixed] ?? wanted?.fixed ?? 'transparent';
  };
  const text = (type, wanted) => {
    const found = wanted?.mode === 'field' ? fields.get(wanted.field)?.text : undefined;
    const said = found ?? wanted?.fixed ?? '';
    if (type === 'metric-value' && found === undefined) return 'Field not found';
    return type === 'text' && !said ? 'Double click to set text' : said;
  };
  const elements = new Map();
  for (const options of panel.options.root.elements) {
    const { type, name, placement, constraint, background, border, config } = options;
    if (constraint.horizontal !== 'scale' || constraint.vertical !== 'scale') {
      throw new Error(`not placed by scale: ${name}`);
    }
    const element = document.createElement('div');
    element.className = `element ${type}`;
    element.dataset.name = name;
    for (const edge of ['left', 'top', 'right', 'bottom']) element.style[edge] = `${placement[edge]}%`;
    element.style.minWidth = element.style.minHeight = `${SMALLEST_PX}px`;
    element.style.backgroundColor = colour(background?.color);
    if (border?.width !== undefined) {
      element.style.border = `${border.width}px solid ${colour(border.color)}`;
    }
    if (border?.radius !== undefined) element.style.borderRadius = `${border.radius}px`;
    const table = document.createElement('div');
    const cell = document.createElement('span');
    table.className = 'table';
    cell.textContent = text(type, config?.text);
    Object.assign(cell.style, {
      verticalAlign: config.valign,
      textAlign: config.align,
      fontSize: `${config.size}px`,
      color: colour(config.color),
    });
    table.append(cell);
    element.append(table);
    into.append(element);
    if (elements.has(name)) throw new Error(`two elements are named ${name}`);
    elements.set(name, { element, options });
  }
  connect(into, elements, colour);
}

function connect(into, elements, colour) {
  const svg = svgElement('svg', { class: 'connections' });
  const origin = into.getBoundingClientRect();
  const at = (element, { x, y }) => {
    const box = element.getBoundingClientRect();
    return [
      box.left - origin.left + ((x + 1) / 2) * box.width,
      box.top - origin.top + ((1 - y) / 2) * box.height,
    ];
  };
  let heads = 0;
  for (const [name, { element, options }] of elements) {
    for (const each of options.connections ?? []) {
      const target = elements.get(each.targetName);
      if (!target) throw new Error(`${name} leads to nothing: ${each.targetName}`);
      const [x1, y1] = at(element, each.source);
      const [x2, y2] = at(target.element, each.target);
      const stroke = colour(each.color);
      const forward = each.direction.fixed === 'forward';
      const id = `head-${(heads += 1)}`;
      const marker = svgElement('marker', {
        id, markerWidth: 10, markerHeight: 7, refX: 10, refY: 3.5, orient: 'auto',
      });
      marker.append(svgElement('polygon', { points: '0 0, 10 3.5, 0 7', fill: stroke }));
      const line = svgElement('line', { x1, y1, x2, y2, stroke, 'stroke-width': each.size.fixed });
      Object.assign(line.dataset, { source: name, target: each.targetName, head: forward });
      if (forward) {
        svg.append(marker);
        line.setAttribute('marker-end', `url(#${id})`);
      }
      svg.append(line);
    }
  }
  into.append(svg);
}

function svgElement(name, attributes) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

const given = JSON.parse(document.getElementById('given').textContent);
document.body.style.backgroundColor = THEMES[given.theme].page;
const panel = document.querySelector('.panel');
panel.style.backgroundColor = THEMES[given.theme]['panel-bg'];
panel.style.color = THEMES[given.theme].text;
panel.querySelector('h2').textContent = given.panel.title;
draw(document.querySelector('.canvas'), given.panel, given.answers, given.theme);
document.body.dataset.drawn = 'yes';
