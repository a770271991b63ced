/** What Kubernetes keeps, as disks: files that are put on an image of their own when the guest starts. */
import {boolean, dnsSubdomain, integer, list, object, optional, quantity, string} from '../schema/index.ts';
import {count} from './count.ts';

const volumeLabel = (fallback: string) =>
  string(`Label of the file system that the guest sees. Defaults to ${fallback}.`, {
    maxLength: 32,
    pattern: '^[!-~]*$',
  });

const isOptional = (what: string) =>
  boolean(`Whether the guest starts without the ${what} where there is none, with an empty disk. Defaults to false.`);

export const configMap = object('A disk with a file for each key of a ConfigMap, as it is when the guest starts.', {
  name: dnsSubdomain('Name of the ConfigMap in the same namespace.'),
  optional: optional(isOptional('ConfigMap')),
  volumeLabel: optional(volumeLabel('cfgdata')),
});

export const secret = object('A disk with a file for each key of a Secret, as it is when the guest starts.', {
  secretName: dnsSubdomain('Name of the Secret in the same namespace.'),
  optional: optional(isOptional('Secret')),
  volumeLabel: optional(volumeLabel('cfgdata')),
});

const word = (description: string) => string(description, {minLength: 1, maxLength: 253});

const downwardFile = object(
  'One file.',
  {
    // A pattern, because the estimated cost of a rule over the parts is beyond what the API server allows.
    path: string('Path of the file on the disk: relative, and no part of it begins with two dots.', {
      minLength: 1,
      maxLength: 253,
      pattern: String.raw`^\.?[^/.][^/]*(/\.?[^/.][^/]*)*$`,
    }),
    fieldRef: optional(
      object("A field of the guest's pod, which has the labels and annotations of the instance.", {
        apiVersion: optional(string('Version of the schema of the pod. Defaults to v1.', {maxLength: 63})),
        fieldPath: word('Path of the field, as metadata.labels.'),
      }),
    ),
    resourceFieldRef: optional(
      object("A request or limit of the guest's pod.", {
        containerName: optional(string('Name of the container: compute.', {maxLength: 63})),
        resource: word('Which one, as limits.memory.'),
        divisor: optional(quantity('The unit of the number. Defaults to 1.')),
      }),
    ),
    mode: optional(integer('Bits of the mode of the file in the pod; the disk has none.', {minimum: 0, maximum: 511})),
  },
  {
    rules: [
      {
        rule: `${count(['fieldRef', 'resourceFieldRef'])} == 1`,
        message: 'exactly one of fieldRef or resourceFieldRef must be given',
      },
    ],
  },
);

export const downwardApi = object("A disk with facts about the guest's pod, as they are when the guest starts.", {
  fields: optional(list('Files, and what is in them.', downwardFile, {maxItems: 64})),
  volumeLabel: optional(volumeLabel('cfgdata')),
});

export const serviceAccount = object(
  'A disk with a token of a ServiceAccount, with the namespace and the certificate of the API server, by which the guest can reach it. The pod of the guest runs as this account.',
  {serviceAccountName: dnsSubdomain('Name of the ServiceAccount in the same namespace.')},
);

const named = (what: string) =>
  object(`A ${what} with the files.`, {name: dnsSubdomain(`Name of the ${what} in the same namespace.`)});

export const sysprep = object(
  'A disk with the answers of a Windows that sets itself up: autounattend.xml or unattend.xml, and whatever else is there.',
  {configMap: optional(named('ConfigMap')), secret: optional(named('Secret'))},
  {
    rules: [
      {
        rule: `${count(['configMap', 'secret'])} == 1`,
        message: 'exactly one of configMap or secret must be given',
      },
    ],
  },
);
