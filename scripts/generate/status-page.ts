import {
  type ConditionEntry,
  conditionGuide,
  endGuide,
  eventGuide,
  printableStatuses,
  type PrintableStatus,
  statusGuide,
} from '@wherry/api';
import {MARKER} from './generator.ts';

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n');

const words = Object.keys(statusGuide) as readonly PrintableStatus[];

const statuses = table(
  ['`printableStatus`', 'means'],
  words.filter(word => statusGuide[word].never === undefined).map(word => [`\`${word}\``, statusGuide[word].means]),
);

const never = words
  .filter(word => statusGuide[word].never !== undefined)
  .map(word => `- \`${word}\`: ${statusGuide[word].means} ${capital(statusGuide[word].never ?? '')}.`)
  .join('\n');

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

const conditionRows = ({type, reasons}: ConditionEntry): readonly (readonly string[])[] =>
  Object.entries(reasons).flatMap(([status, meanings]) =>
    Object.entries(meanings).map(([reason, means]) => [`\`${type}=${status}\``, `\`${reason}\``, means]),
  );

const condition = (entry: ConditionEntry): string => `### ${entry.type}

${entry.means} On ${entry.on.join(' and ')}.

${table(['condition', 'reason', 'means'], conditionRows(entry))}
`;

const ends = table(
  ['`status.reason`', 'phase', 'means'],
  Object.entries(endGuide).map(([reason, {phase, means}]) => [`\`${reason}\``, phase.join(' or '), means]),
);

const events = table(
  ['event', 'type', 'on', 'means'],
  Object.entries(eventGuide).map(([reason, {on, type, means}]) => [
    `\`${reason}\``,
    type === 'either' ? 'Normal or Warning' : type,
    on.join(', '),
    means,
  ]),
);

/** The page about every word that a status or an event may hold. */
export const statusPage = (): string => `<!-- ${MARKER} -->

# Status, conditions and events

What to do about them: [Troubleshooting](../guide/troubleshooting.md).

## printableStatus of a VirtualMachine

The first that holds, in this order, is what \`kubectl get vm\` shows.

${statuses}

KubeVirt has ${printableStatuses.length} words. These do not occur yet:

${never}

## Conditions

Conditions of an instance are copied up to its machine; while the guest starts, only those that are False.

${conditionGuide.map(condition).join('\n')}
## How a run ended

An instance that \`Succeeded\` or \`Failed\` says how in \`status.reason\`, and in the message of its condition \`Ready\`.

${ends}

## Events

\`kubectl describe vm,vmi\` shows them. Beside these words, an event has the reason of the condition that it tells of, as
\`FailedPvcNotFound\` or \`Unschedulable\`.

${events}
`;
