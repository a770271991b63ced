/**
 * Types of the QMP commands and events that the daemon uses, from what `query-qmp-schema` of the pinned QEMU answered.
 * A new QEMU: put its answer beside the old one as `schema/qmp-<version>.json.gz`, `{"version": …, "schema": […]}`.
 */
import {readFile} from 'node:fs/promises';
import {gunzipSync} from 'node:zlib';
import {type Generator, MARKER} from '../../scripts/generate/generator.ts';
import {type SchemaEntity, typesOf} from './qmp-schema.ts';

const SCHEMA = new URL('../schema/qmp-10.0.13.json.gz', import.meta.url);
const FOLDER = 'node-daemon/src/engine/qmp';

const commands = [
  'cont',
  'qom-get',
  'qom-set',
  'query-balloon',
  'query-block',
  'query-blockstats',
  'query-chardev',
  'query-cpus-fast',
  'query-status',
  'query-version',
  'stop',
  'system_powerdown',
  'system_reset',
] as const;

const events = ['BLOCK_IO_ERROR', 'GUEST_PANICKED', 'RESUME', 'SHUTDOWN', 'STOP', 'VSERPORT_CHANGE'] as const;

export const qmpTypes: Generator = {
  name: 'QMP types',
  folders: [FOLDER],
  produce: async () => {
    const {version, schema} = JSON.parse(gunzipSync(await readFile(SCHEMA)).toString()) as {
      version: string;
      schema: SchemaEntity[];
    };
    const head = `// ${MARKER}\n/** Commands and events of QEMU ${version}. */\n\n`;
    return new Map([[`${FOLDER}/qmp.generated.ts`, head + typesOf(schema, commands, events)]]);
  },
};
