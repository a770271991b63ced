/** Licences that go together with Apache-2.0, for what is shipped and for what builds and tests it. */

export const allowed: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'Apache-2.0 WITH LLVM-exception',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'PSF-2.0',
  'Unicode-3.0',
  'Unlicense',
  'Zlib',
]);

/** A package whose licence is none of these, and why that does no harm. */
export const exceptions: ReadonlyMap<string, string> = new Map([
  [
    'caniuse-lite',
    'CC-BY-4.0: a table of browsers that Jest’s transformer brings; nothing reads it, and it is not shipped',
  ],
]);

/**
 * Whether an SPDX expression leaves a choice that is allowed throughout: `(MIT OR GPL-2.0) AND Zlib`. Cargo's older form, a
 * slash between licences, means OR.
 */
export const isAllowed = (expression: string): boolean => {
  const tokens = expression.replaceAll('/', ' OR ').match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  const either = (): boolean => {
    let good = both();
    while (tokens[at] === 'OR') {
      at += 1;
      // Read to its end, whatever came before.
      good = both() || good;
    }
    return good;
  };
  const both = (): boolean => {
    let good = one();
    while (tokens[at] === 'AND') {
      at += 1;
      good = one() && good;
    }
    return good;
  };
  const one = (): boolean => {
    const token = tokens[at++];
    if (token === '(') {
      const good = either();
      return tokens[at++] === ')' && good;
    }
    if (token === undefined) return false;
    if (tokens[at] !== 'WITH') return allowed.has(token);
    at += 2;
    return allowed.has(`${token} WITH ${tokens[at - 1]}`);
  };
  const good = either();
  return good && at === tokens.length;
};
