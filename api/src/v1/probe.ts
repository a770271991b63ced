/** How the kubelet finds out whether the guest works: probes of the pod, which reach the guest (core/v1 Probe). */
import {
  enumeration,
  type Infer,
  integer,
  intOrString,
  list,
  object,
  optional,
  type Rule,
  string,
} from '../schema/index.ts';

type ProbeField = 'readinessProbe' | 'livenessProbe';

const port = intOrString('Port of the guest: its number, or its name in the ports of the interface.', {
  maxLength: 15,
  rules: [
    {
      rule: "type(self) == int ? self >= 1 && self <= 65535 : self.matches('^[a-z0-9]+(-[a-z0-9]+)*$') && self.matches('[a-z]')",
      message: 'must be a number from 1 to 65535, or the name of a port of the interface',
    },
  ],
});

/** The Pod Security Standards forbid it: by it a pod could make the kubelet call whom it likes. */
const host = (path: string) =>
  optional(
    string('Must be empty: the guest is probed at the address of its pod.', {
      maxLength: 253,
      rules: [
        {
          rule: "self == ''",
          message: `${path}.host is not supported: leave it out, for the guest is probed at the address of its pod`,
          reason: 'FieldValueForbidden',
        },
      ],
    }),
  );

const seconds = (description: string) => optional(integer(description, {minimum: 0, maximum: 2_147_483_647}));

/** A 0 is the default, as in Kubernetes. */
const probe = (field: ProbeField, description: string, mostSuccesses: number) =>
  object(
    description,
    {
      tcpSocket: optional(
        object('The guest answers where a connection to this port is taken.', {
          port,
          host: host(`${field}.tcpSocket`),
        }),
      ),
      httpGet: optional(
        object('The guest answers where this request gives a status from 200 to 399.', {
          port,
          path: optional(string('Path of the request. Defaults to /.', {maxLength: 2048})),
          scheme: optional(enumeration('How the guest is asked. Defaults to HTTP.', ['', 'HTTP', 'HTTPS'])),
          httpHeaders: optional(
            list(
              'Headers of the request.',
              object('A header.', {
                name: string('Name of the header.', {
                  minLength: 1,
                  maxLength: 256,
                  pattern: "^[-A-Za-z0-9!#$%&'*+.^_`|~]+$",
                }),
                value: string('Value of the header.', {maxLength: 4096}),
              }),
              {maxItems: 32},
            ),
          ),
          host: host(`${field}.httpGet`),
        }),
      ),
      initialDelaySeconds: seconds('How long after the start of the guest the first probe is sent. Defaults to 0.'),
      periodSeconds: seconds('Time between two probes. Defaults to 10.'),
      timeoutSeconds: seconds('How long an answer may take. Defaults to 1.'),
      successThreshold: optional(
        integer('After how many answers in a row a guest that failed counts as good again. Defaults to 1.', {
          minimum: 0,
          maximum: mostSuccesses,
        }),
      ),
      failureThreshold: optional(
        integer('After how many failures in a row the guest counts as bad. Defaults to 3.', {
          minimum: 0,
          maximum: 2_147_483_647,
        }),
      ),
    },
    {
      rules: [
        {
          rule: 'has(self.tcpSocket) != has(self.httpGet)',
          message: 'exactly one of tcpSocket or httpGet must be given',
          reason: 'FieldValueRequired',
        },
      ],
    },
  );

export const readinessProbe = probe(
  'readinessProbe',
  'Whether the guest is ready: as long as it fails, the instance is not Ready and Services send nothing to it.',
  2_147_483_647,
);

export const livenessProbe = probe(
  'livenessProbe',
  'Whether the guest works: when it fails, the guest is shut down, and its machine goes on as its run strategy says for a guest that failed.',
  1,
);
export type Probe = Infer<typeof readinessProbe>;

const devices = 'self.domain.devices';

/** An instance without networks and interfaces gets the network of the pod, unless it says that it wants none. */
const hasPodNetwork =
  '(has(self.networks) && self.networks.size() > 0 ? self.networks.exists(one, has(one.pod)) : ' +
  `!has(${devices}.autoattachPodInterface) || ${devices}.autoattachPodInterface)`;

const names = (list: string): string => `(has(one.${list}) && one.${list}.size() > 0)`;

/** Where an interface names ports or ranges of them, no other reaches the guest. A name is that of a port. */
const forwards = (port: string): string => {
  const listed =
    `(has(one.ports) && one.ports.exists(port, port.protocol == 'TCP' && ` +
    `(port.port == ${port} || (has(port.name) && port.name == ${port}))))`;
  const inRange =
    `(type(${port}) == int && has(one.portRanges) && one.portRanges.exists(range, range.protocol == 'TCP' && ` +
    `range.start <= ${port} && ${port} <= range.end))`;
  return (
    `(has(${devices}.interfaces) && ${devices}.interfaces.exists(one, ${names('ports')} || ${names('portRanges')}) ? ` +
    `${devices}.interfaces.exists(one, ${listed} || ${inRange}) : type(${port}) == int)`
  );
};

/** Rules of the spec that holds the probe. */
export const probeRules = (field: ProbeField): readonly Rule[] => [
  {
    rule: `!has(self.${field}) || ${hasPodNetwork}`,
    message: 'is only allowed if the network of the pod is attached, through which the guest is probed',
    fieldPath: `.${field}`,
  },
  ...['tcpSocket', 'httpGet'].map((handler): Rule => {
    const at = `self.${field}.${handler}`;
    return {
      rule: `!has(self.${field}) || !has(${at}) || ${forwards(`${at}.port`)}`,
      message:
        'must be one of the TCP ports of the interface, for no other reaches the guest: add it to its ports or portRanges',
      fieldPath: `.${field}.${handler}.port`,
    };
  }),
];
