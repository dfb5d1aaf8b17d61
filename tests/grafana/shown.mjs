// What a reader sees of query results: Grafana's own transformations, overrides and formats.
//
// Not Grafana's own here: how the Prometheus data source makes tables and series of an answer, and
// the transformation timeSeriesTable, which are parts of the application and not of a library.
import { createRequire } from 'node:module';
import { firstValueFrom, map } from 'rxjs';

// The ES modules of @grafana/data name exports that node does not find in CommonJS packages.
const require = createRequire(import.meta.url);
// A browser has one; Grafana reads its language there.
const { locale } = Intl.DateTimeFormat().resolvedOptions();
globalThis.navigator ??= { language: locale, languages: [locale] };
const grafana = require('@grafana/data');
const { FieldType, toDataFrame } = grafana;
// A transformation asks it whether its variables are replaced already: here they are not.
globalThis.window ??= {};

const THEME = grafana.createTheme({ colors: { mode: 'dark' } });
const STANDARD = {
  color: grafana.identityOverrideProcessor,
  decimals: grafana.numberOverrideProcessor,
  displayName: grafana.displayNameOverrideProcessor,
  links: grafana.dataLinksOverrideProcessor,
  mappings: grafana.valueMappingsOverrideProcessor,
  max: grafana.numberOverrideProcessor,
  min: grafana.numberOverrideProcessor,
  noValue: grafana.stringOverrideProcessor,
  thresholds: grafana.thresholdsOverrideProcessor,
  unit: grafana.unitOverrideProcessor,
};

/** Return the ids of Grafana's units. */
export function units() {
  return grafana.getValueFormats().flatMap((category) => category.submenu.map(({ value }) => value));
}

function option(id, path, process, isCustom) {
  return { id, path, name: id, process, isCustom, shouldApply: () => true, settings: {} };
}

/** Return the options of a panel's fields: the standard ones, and those of its kind that it sets. */
function registry(panel) {
  const found = new grafana.FieldConfigOptionsRegistry();
  for (const [id, process] of Object.entries(STANDARD)) {
    found.register(option(id, id, process, false));
  }
  const { defaults, overrides } = panel.fieldConfig;
  const custom = new Set([
    ...Object.keys(defaults.custom ?? {}),
    ...overrides
      .flatMap((each) => each.properties.map(({ id }) => id))
      .filter((id) => id.startsWith('custom.'))
      .map((id) => id.slice('custom.'.length)),
  ]);
  for (const path of custom) {
    found.register(option(`custom.${path}`, path, grafana.identityOverrideProcessor, true));
  }
  return found;
}

function transformations() {
  const known = new Map(
    Object.values(grafana.standardTransformers).map((each) => [each.id, each]),
  );
  known.set('timeSeriesTable', {
    id: 'timeSeriesTable',
    defaultOptions: {},
    operator: () => (source) => source.pipe(map(trends)),
  });
  return [...known].map(([id, each]) => ({ id, name: id, transformation: async () => each }));
}
grafana.standardTransformersRegistry.setInit(transformations);

/** Return one table for each query: the labels, and the course as a frame within a cell. */
function trends(frames) {
  const byRef = new Map();
  for (const each of frames.filter(({ fields }) => fields.length)) {
    byRef.set(each.refId, [...(byRef.get(each.refId) ?? []), each]);
  }
  return [...byRef].map(([refId, courses]) => {
    const labels = (each) => each.fields.find(({ type }) => type === FieldType.number)?.labels ?? {};
    const names = [...new Set(courses.flatMap((each) => Object.keys(labels(each))))];
    return toDataFrame({
      refId,
      fields: [
        ...names.map((name) => ({
          name,
          type: FieldType.string,
          values: courses.map((each) => labels(each)[name]),
        })),
        { name: `Trend #${refId}`, type: FieldType.frame, values: courses },
      ],
    });
  });
}

const legend = (format, labels) =>
  !format || format === '__auto'
    ? undefined
    : format.replace(/{{\s*(\w+)\s*}}/g, (_, name) => labels[name] ?? '');

/** Return the samples of a series: [seconds, text]. */
const samples = (series) => series.values ?? [series.value];

function table(target, answer, alone) {
  const names = [...new Set(answer.flatMap(({ metric }) => Object.keys(metric)))].sort();
  const rows = answer.flatMap((series) => samples(series).map((sample) => ({ series, sample })));
  return toDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: rows.map(({ sample }) => sample[0] * 1000) },
      ...names.map((name) => ({
        name,
        type: FieldType.string,
        values: rows.map(({ series }) => series.metric[name] ?? ''),
      })),
      {
        name: alone ? 'Value' : `Value #${target.refId}`,
        type: FieldType.number,
        values: rows.map(({ sample }) => Number(sample[1])),
      },
    ],
  });
}

function series(target, answer) {
  if (!answer.length) return [toDataFrame({ refId: target.refId, fields: [] })];
  return answer.map((each) =>
    toDataFrame({
      refId: target.refId,
      fields: [
        { name: 'Time', type: FieldType.time, values: samples(each).map(([at]) => at * 1000) },
        {
          name: 'Value',
          type: FieldType.number,
          labels: each.metric,
          config: { displayNameFromDS: legend(target.legendFormat, each.metric) },
          values: samples(each).map(([, text]) => Number(text)),
        },
      ],
    }),
  );
}

/** Return the frames that the data source hands to a panel. */
function frames(panel, answers) {
  const tables = panel.targets.filter(({ format }) => format === 'table');
  return panel.targets.flatMap((target) => {
    const answer = answers[target.refId] ?? [];
    return target.format === 'table'
      ? [table(target, answer, tables.length === 1)]
      : series(target, answer);
  });
}

/** Replace the variables as Grafana does before a panel sees them. */
const replaced = (values) => (text) =>
  String(text ?? '').replace(
    /\$\{(\w+)(?::(\w+))?\}|\$(\w+)/g,
    (whole, braced, format, bare) => {
      const found = values[braced ?? bare];
      return found === undefined ? whole : format === 'text' ? found.text : found.value;
    },
  );

/** Return the value as a reader sees it. */
function shown(value, display) {
  const { prefix = '', text, suffix = '', color } = display(value);
  return { text: `${prefix}${text}${suffix}`.trim(), color };
}

/** Return which overrides, by their place, are for no field. */
function idle(overrides, all) {
  const applies = ({ matcher: { id, options } }) => {
    const matches = grafana.fieldMatchers.get(id).get(options);
    return all.some((frame) => frame.fields.some((field) => matches(field, frame, all)));
  };
  return overrides.flatMap((each, at) => (applies(each) ? [] : [at]));
}

/** Return what a panel draws: the name of each field and, for each row, text and colour. */
async function drawn({ panel, answers, variables, timeZone }) {
  const replaceVariables = replaced(variables);
  const given = JSON.parse(JSON.stringify(panel));
  for (const each of given.targets) each.legendFormat = replaceVariables(each.legendFormat);
  const options = given.transformations ?? [];
  const transformed = await firstValueFrom(
    grafana.transformDataFrame(options, frames(given, answers), { interpolate: replaceVariables }),
  );
  const configured = {
    data: transformed,
    fieldConfig: given.fieldConfig,
    fieldConfigRegistry: registry(given),
    replaceVariables,
    theme: THEME,
    timeZone,
  };
  if (given.options?.reduceOptions) {
    const found = grafana.getFieldDisplayValues({
      ...configured,
      data: grafana.applyFieldOverrides(configured),
      reduceOptions: given.options.reduceOptions,
    });
    const fields = found.map(({ display, name }) => ({
      name: display.title || name || '',
      values: [shown(display, (each) => each)],
    }));
    return { fields, idle: idle(given.fieldConfig.overrides, transformed) };
  }
  const overridden = grafana.applyFieldOverrides(configured);
  const fields = overridden.flatMap((frame) =>
    frame.fields
      .filter(({ type }) => type !== FieldType.time)
      .map((field) => ({
        name: grafana.getFieldDisplayName(field, frame, overridden),
        values: Array.from(field.values, (value) =>
          field.type === FieldType.frame
            ? { text: value ? `${value.length} points` : '' }
            : shown(value, field.display),
        ),
      })),
  );
  return { fields, idle: idle(given.fieldConfig.overrides, transformed) };
}

/** Return {fields, idle} of each {panel, answers, variables, timeZone}. */
export async function show(requests) {
  const found = [];
  for (const each of requests) found.push(await drawn(each));
  return found;
}
