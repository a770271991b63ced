import {SetupError} from '../core/errors.ts';

/**
 * Reads the arguments of `npm test -- …`: `--only unit,rust`, and `--lab` or `--long`, which say what `names` are.
 * @returns names of the suites to run, in their own order.
 * @throws SetupError for anything else.
 */
export function readArguments(args: readonly string[], names: readonly string[]): readonly string[] {
  let only = names;
  for (let at = 0; at < args.length; at++) {
    const [flag, attached] = args[at]!.split('=', 2);
    if (flag === '--long' || flag === '--lab') continue;
    if (flag === '--only') only = chosen(attached ?? args[++at] ?? '', names);
    else throw new SetupError(`unknown argument ${flag}: there are --lab, --long and --only ${names.join(',')}`);
  }
  return only;
}

function chosen(list: string, names: readonly string[]): string[] {
  const wishes = list.split(',');
  const unknown = wishes.filter(wish => !names.includes(wish));
  if (unknown.length > 0)
    throw new SetupError(`there is no suite ${unknown.join(', ')}; there are ${names.join(', ')}`);
  return names.filter(name => wishes.includes(name));
}
