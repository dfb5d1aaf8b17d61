// Reads a request {"check": name, "input": any} from the standard input and writes the answer.
// One process answers for all dashboards: to load Grafana's modules takes longer than to ask them.
import { text } from 'node:stream/consumers';

const CHECKS = {
  shapes: async (input) => (await import('./shapes.mjs')).checkShapes(input),
  shown: async (input) => (await import('./shown.mjs')).show(input),
  units: async () => (await import('./shown.mjs')).units(),
};

const { check, input } = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify(await CHECKS[check](input)));
