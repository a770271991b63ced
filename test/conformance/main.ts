/**
 * `main.ts --kit FILE [--engine qemu|native] [--accelerator kvm] [--only TEXT|TEXT] [--json FILE] [--memory]`: what an engine does on this
 * machine, as lines and as JSON; with `--memory`, what it needs beside a guest too, in a cgroup of its own. Ends with 1 where something is not as it must be. Needs root, for it makes network namespaces.
 */
import {readFileSync} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import {parseArgs} from 'node:util';
import {conformance, memoryUse} from './conformance.ts';
import type {Report} from './report.ts';
import type {Kit} from './stage.ts';

const {values} = parseArgs({
  options: {
    kit: {type: 'string'},
    engine: {type: 'string', default: 'qemu'},
    accelerator: {type: 'string', default: 'kvm'},
    only: {type: 'string', default: ''},
    json: {type: 'string'},
    memory: {type: 'boolean', default: false},
  },
});

const kit = JSON.parse(readFileSync(values.kit ?? '', 'utf8')) as Kit;
const say = (line: string): void => console.error(line);
const keep = async (report: Report): Promise<void> => {
  if (values.json !== undefined) await writeFile(values.json, JSON.stringify(report));
};
const report = await conformance(kit, values, say);
await keep(report);
if (values.memory) await keep({...report, memory: await memoryUse(kit, values, say)});
process.exit(report.results.some(({outcome}) => outcome === 'failed') ? 1 : 0);
