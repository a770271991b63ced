import {customResourceDefinition, kinds} from '@wherry/api';
import {stringify} from 'yaml';
import {type Generator, MARKER} from './generator.ts';

const yaml = (object: unknown): string => stringify(object, {lineWidth: 120, aliasDuplicateObjects: false});

/** Deleting a definition deletes every object of its kind, so an uninstall keeps them. */
const keep = {'helm.sh/resource-policy': 'keep'};

interface Definition {
  readonly metadata: {readonly name: string};
}

/** The chart's copy: installed and upgraded with the release where `crds.enabled` says so. */
const chartTemplate = (definition: Definition): string => {
  const {metadata, ...rest} = definition;
  const kept = {...rest, metadata: {...metadata, annotations: keep}};
  return `{{- /* ${MARKER} */ -}}\n{{- if .Values.crds.enabled }}\n${yaml(kept)}{{- end }}\n`;
};

const produce = async (): Promise<ReadonlyMap<string, string>> =>
  new Map(
    kinds.flatMap(kind => {
      const definition = customResourceDefinition(kind) as Definition;
      return [
        [`crds/${kind.plural}.yaml`, `# ${MARKER}\n${yaml(definition)}`],
        [`helm/templates/crds/${kind.plural}.yaml`, chartTemplate(definition)],
      ] as [string, string][];
    }),
  );

/** CustomResourceDefinitions for `kubectl apply` and, guarded by a value, for the chart. */
export const crds: Generator = {name: 'custom resource definitions', folders: ['crds', 'helm/templates/crds'], produce};
