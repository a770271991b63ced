/** What a process has mapped, out of /proc/<pid>/smaps. Sizes are bytes. */

export interface Mapping {
  /** As the kernel writes them: `rw-p`. */
  readonly permissions: string;
  /** Path, `[heap]`, or empty for anonymous memory. */
  readonly name: string;
  readonly size: number;
  readonly resident: number;
  /** Resident, each page divided by the number of processes that have it. */
  readonly proportional: number;
  readonly anonymous: number;
}

const header = /^[0-9a-f]+-[0-9a-f]+ (?<permissions>\S{4}) \S+ \S+ \S+ *(?<name>.*)$/;

/** @throws Error for text that does not begin with a mapping. */
export const mappingsIn = (smaps: string): readonly Mapping[] => {
  const found: {permissions: string; name: string; sizes: Map<string, number>}[] = [];
  for (const line of smaps.split('\n')) {
    const start = header.exec(line)?.groups;
    if (start !== undefined) {
      found.push({permissions: start['permissions']!, name: start['name']!, sizes: new Map()});
      continue;
    }
    const [, key, kib] = /^(\w+): +(\d+) kB$/.exec(line) ?? [];
    if (key === undefined) continue;
    const last = found.at(-1);
    if (last === undefined) throw new Error(`no mapping before ${line}: is it smaps?`);
    last.sizes.set(key, Number(kib) * 1024);
  }
  return found.map(({permissions, name, sizes}) => ({
    permissions,
    name,
    size: sizes.get('Size') ?? 0,
    resident: sizes.get('Rss') ?? 0,
    proportional: sizes.get('Pss') ?? 0,
    anonymous: sizes.get('Anonymous') ?? 0,
  }));
};

/** Parts of an engine's memory that mean different things to whoever pays for it. */
export const qemuParts = [
  'guest memory',
  'TCG buffer',
  'kernel and initrd',
  'own memory',
  'code and libraries',
] as const;
export type QemuPart = (typeof qemuParts)[number];

export const qemuPartOf = ({permissions, name, anonymous, resident}: Mapping): QemuPart => {
  if (name.startsWith('/memfd:memory-backend-memfd') || name.startsWith('/memfd:guest-ram')) return 'guest memory';
  // TCG's translated code is the only memory that can be written and executed.
  if (permissions.startsWith('rwx')) return 'TCG buffer';
  if (name.startsWith('/run/wherry-kernel/')) return 'kernel and initrd';
  // The writable part of a library is its own once it is written.
  return name.startsWith('/') && anonymous < resident ? 'code and libraries' : 'own memory';
};

/** Bytes of each part, counted as `measure` says. */
export const qemuUse = (
  mappings: readonly Mapping[],
  measure: 'resident' | 'proportional',
): Record<QemuPart, number> => {
  const sum = Object.fromEntries(qemuParts.map(part => [part, 0])) as Record<QemuPart, number>;
  for (const mapping of mappings) sum[qemuPartOf(mapping)] += mapping[measure];
  return sum;
};
