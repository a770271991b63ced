import {SetupError} from '../../scripts/core/errors.ts';

export interface Arguments {
  readonly only: readonly string[];
  /** The figures become the page of the reference. */
  readonly writePage: boolean;
}

/**
 * Reads the arguments of `npm run bench -- …`: `--only start,memory`, `--page`.
 * @param names all that can be measured, in their order.
 * @throws SetupError for anything else.
 */
export function readArguments(args: readonly string[], names: readonly string[]): Arguments {
  let only = names;
  let writePage = false;
  for (let at = 0; at < args.length; at++) {
    const [flag, attached] = args[at]!.split('=', 2);
    if (flag === '--page') writePage = true;
    else if (flag === '--only') only = chosen(attached ?? args[++at] ?? '', names);
    else throw new SetupError(`unknown argument ${flag}: there are --page and --only ${names.join(',')}`);
  }
  return {only, writePage};
}

function chosen(list: string, names: readonly string[]): readonly string[] {
  const wishes = list.split(',');
  const unknown = wishes.filter(wish => !names.includes(wish));
  if (unknown.length > 0)
    throw new SetupError(`${unknown.join(', ')} cannot be measured; there are ${names.join(', ')}`);
  return names.filter(name => wishes.includes(name));
}
