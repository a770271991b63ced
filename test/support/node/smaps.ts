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
  /** Left out of a core dump. */
  readonly isUndumped: boolean;
}

const header = /^[0-9a-f]+-[0-9a-f]+ (?<permissions>\S{4}) \S+ \S+ \S+ *(?<name>.*)$/;

/** @throws Error for text that does not begin with a mapping. */
export const mappingsIn = (smaps: string): readonly Mapping[] => {
  const found: {permissions: string; name: string; sizes: Map<string, number>; flags: readonly string[]}[] = [];
  for (const line of smaps.split('\n')) {
    const start = header.exec(line)?.groups;
    if (start !== undefined) {
      found.push({permissions: start['permissions']!, name: start['name']!, sizes: new Map(), flags: []});
      continue;
    }
    const [, key, value] = /^(\w+): +(\d+ kB|\w\w .*)$/.exec(line) ?? [];
    if (key === undefined) continue;
    const last = found.at(-1);
    if (last === undefined) throw new Error(`no mapping before ${line}: is it smaps?`);
    if (key === 'VmFlags') last.flags = value!.trim().split(' ');
    else last.sizes.set(key, Number.parseInt(value!, 10) * 1024);
  }
  return found.map(({permissions, name, sizes, flags}) => ({
    permissions,
    name,
    size: sizes.get('Size') ?? 0,
    resident: sizes.get('Rss') ?? 0,
    proportional: sizes.get('Pss') ?? 0,
    anonymous: sizes.get('Anonymous') ?? 0,
    isUndumped: flags.includes('dd'),
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

/** More than a graphics card or a firmware has, which QEMU maps as it maps the guest's memory. */
const LEAST_GUEST_BYTES = 32 * 1024 * 1024;

export const qemuPartOf = ({permissions, name, size, anonymous, resident, isUndumped}: Mapping): QemuPart => {
  // TCG's translated code is the only memory that can be written and executed.
  if (permissions.startsWith('rwx')) return 'TCG buffer';
  const isNative = name.startsWith('/memfd:guest-ram');
  if (isNative || (name === '' && isUndumped && size >= LEAST_GUEST_BYTES)) return 'guest memory';
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
