/** What there is of things that software forgets to give back. Two inventories of an idle system are the same. */

/** Counts by name. */
export type Inventory = Readonly<Record<string, number>>;

/**
 * Open descriptors by what they are.
 * @param links what /proc/<pid>/fd/* point to, and `unix` and `tcp` the tables of /proc/<pid>/net.
 */
export const descriptorKinds = (links: readonly string[], unix: string, tcp: string): Inventory => {
  const unixInodes = column(unix, 6);
  const tcpInodes = column(tcp, 9);
  const kinds = links.map(link => {
    const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
    if (inode === undefined) return link.startsWith('/') ? 'file' : link.replace(/:\[\d+\]$/, '');
    if (unixInodes.has(inode)) return 'unix socket';
    return tcpInodes.has(inode) ? 'TCP socket' : 'other socket';
  });
  return tally(kinds);
};

/** Entries of a table of /proc/net in one of its columns. */
const column = (table: string, index: number): ReadonlySet<string> =>
  new Set(table.split('\n').map(line => line.trim().split(/\s+/)[index] ?? ''));

export const tally = (names: readonly string[]): Inventory => {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
};

/** What differs, as `name: before → after`; nothing where both are the same. */
export const differences = (before: Inventory, after: Inventory): readonly string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .toSorted()
    .filter(name => (before[name] ?? 0) !== (after[name] ?? 0))
    .map(name => `${name}: ${before[name] ?? 0} → ${after[name] ?? 0}`);

/** `name count` on each line. */
export const parseCounts = (text: string): Inventory =>
  Object.fromEntries(
    text
      .split('\n')
      .map(line => /^(?<name>.+) (?<count>\d+)$/.exec(line)?.groups)
      .filter(groups => groups !== undefined)
      .map(groups => [groups['name']!, Number(groups['count'])]),
  );
