// Whether dashboards have the shapes of `shapes.ts`: what TypeScript says about them as literals.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const VIRTUAL = path.join(HERE, '_dashboards.ts');
const OPTIONS = {
  allowImportingTsExtensions: true,
  lib: ['lib.es2022.d.ts'],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  noEmit: true,
  skipLibCheck: true,
  strict: true,
  target: ts.ScriptTarget.ES2022,
  types: [],
};

// Texts for readers and for Prometheus: to the types one string is as good as another.
const FREE = new Set(
  ('title description expr legendFormat content noValue url tooltip label query uid name text ' +
    'refId displayName fixedColor color tags').split(' '),
);
// Objects whose keys are names of fields, or values.
const KEYED = new Set(['renameByName', 'indexByName', 'excludeByName']);

const isKeyed = (key, value) =>
  KEYED.has(key) || (key === 'options' && Object.values(value).every((each) => 'index' in Object(each)));

/** Return a text that two things share if the types cannot tell them apart. */
function skeleton(value, key = '') {
  if (typeof value === 'number') return '0';
  if (typeof value === 'string' && FREE.has(key)) return '""';
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const unlike = (each) => [...new Set(each.map((one) => skeleton(one, key)))].sort().join();
  if (Array.isArray(value)) return `[${unlike(value)}]`;
  if (value.id === 'byName') return '{byName}' + typeof value.options;
  if (isKeyed(key, value)) return `{*:${unlike(Object.values(value))}}`;
  const members = Object.keys(value).sort();
  return `{${members.map((each) => `${each}:${skeleton(value[each], each)}`).join()}}`;
}

/** Return what is to be checked, one of each skeleton: {type, value, file, where}. */
function things(dashboards) {
  const found = new Map();
  for (const { file, dashboard } of dashboards) {
    const add = (type, value, where) => {
      const key = type + skeleton(value);
      if (!found.has(key)) found.set(key, { type, value, file, where });
    };
    const { panels = [], ...rest } = dashboard;
    add('Whole', rest, 'dashboard');
    const panel = (each) => add(`PanelOf<${JSON.stringify(each.type)}>`, each, `panel ${each.id}`);
    for (const each of panels) {
      if (each.type === 'row') {
        add('Row', { ...each, panels: [] }, `row ${each.id}`);
        each.panels?.forEach(panel);
      } else {
        panel(each);
      }
    }
  }
  return [...found.values()];
}

/** Return the path of keys that leads to a position, such as `options.root.elements[2].name`. */
function pathTo(file, position) {
  const steps = [];
  const visit = (node) => {
    if (position < node.getStart(file) || position >= node.getEnd()) return;
    if (ts.isPropertyAssignment(node)) steps.push(`.${node.name.text ?? node.name.getText(file)}`);
    if (ts.isArrayLiteralExpression(node.parent ?? file)) {
      steps.push(`[${node.parent.elements.indexOf(node)}]`);
    }
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(file, visit);
  return steps.join('').replace(/^\./, '');
}

/** Return {file, where, path, message} for everything that TypeScript refuses. */
export function checkShapes(dashboards) {
  const checked = things(dashboards);
  const source = [
    // One constant a line, so that a line's number says which.
    "import type { PanelOf, Row, Whole } from './shapes.ts';",
    ...checked.map(({ type, value }, at) => `export const _${at}: ${type} = ${JSON.stringify(value)};`),
  ].join('\n');
  const host = ts.createCompilerHost(OPTIONS, true);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (name) => name === VIRTUAL || fileExists.call(host, name);
  host.readFile = (name) => (name === VIRTUAL ? source : readFile.call(host, name));
  host.getSourceFile = (name, ...rest) =>
    name === VIRTUAL
      ? ts.createSourceFile(name, source, OPTIONS.target, true)
      : getSourceFile.call(host, name, ...rest);
  const program = ts.createProgram([VIRTUAL, path.join(HERE, 'shapes.ts')], OPTIONS, host);
  const findings = [];
  const report = ({ file, start, messageText }) => {
    const message = ts.flattenDiagnosticMessageText(messageText, ' ');
    if (file?.fileName !== VIRTUAL) {
      findings.push({ file: file ? path.basename(file.fileName) : '', where: '', path: '', message });
      return;
    }
    const { line } = file.getLineAndCharacterOfPosition(start);
    const { file: of, where } = checked[line - 1];
    findings.push({ file: of, where, path: pathTo(file, start), message });
  };
  program.getOptionsDiagnostics().forEach(report);
  program.getGlobalDiagnostics().forEach(report);
  for (const file of program.getSourceFiles()) {
    if (!file.fileName.includes('node_modules')) {
      program.getSyntacticDiagnostics(file).forEach(report);
      program.getSemanticDiagnostics(file).forEach(report);
    }
  }
  return { checked: checked.length, findings };
}
