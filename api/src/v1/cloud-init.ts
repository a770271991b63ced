/** What cloud-init reads in the guest. */
import {dnsSubdomain, type Infer, object, optional, type Rule, string} from '../schema/index.ts';
import {count} from './count.ts';

/** In bytes, decoded: what fits on the seed image of every cloud-init version. */
const INLINE_LIMIT = 2048;

/**
 * Base64 as Go decodes it: padded, with line breaks anywhere. YAML blocks end in one, and `base64` wraps its lines. A
 * pattern, because the estimated cost of a rule with `matches` is beyond what the API server allows.
 */
const BASE64 = String.raw`^(([A-Za-z0-9+/][\r\n]*){4})*(([A-Za-z0-9+/][\r\n]*){2}(=[\r\n]*){2}|([A-Za-z0-9+/][\r\n]*){3}=[\r\n]*)?$`;

const tooLong = (size: string, secret: string): readonly Rule[] => [
  {
    rule: `${size} <= ${INLINE_LIMIT}`,
    message: `inline data is limited to ${INLINE_LIMIT} bytes: put it into a Secret and name that in ${secret}`,
  },
];

// The bounds of the texts lie far above the limit, so that the rule with the remedy is what a user meets.
const inline = (what: string, secret: string) =>
  string(`${what}, in the manifest. At most ${INLINE_LIMIT} bytes.`, {
    maxLength: 65_536,
    rules: tooLong('size(bytes(self))', secret),
  });

const inlineBase64 = (what: string, secret: string) =>
  string(`${what}, in the manifest, base64-encoded. At most ${INLINE_LIMIT} bytes when decoded.`, {
    maxLength: 8192,
    pattern: BASE64,
    rules: tooLong(String.raw`size(self.replace('\n', '').replace('\r', '').replace('=', '')) * 3 / 4`, secret),
  });

const secretRef = (description: string) =>
  object(description, {name: dnsSubdomain('Name of the Secret in the same namespace.')});

const userDataSources = ['userData', 'userDataBase64', 'secretRef'];
const networkDataSources = ['networkData', 'networkDataBase64', 'networkDataSecretRef'];

const oneSource = (sources: readonly string[]): Rule => ({
  rule: `${count(sources)} <= 1`,
  message: `at most one of ${sources.join(', ')} may be given`,
});

const cloudInit = (description: string) =>
  object(
    description,
    {
      userData: optional(inline('User data', 'secretRef')),
      userDataBase64: optional(inlineBase64('User data', 'secretRef')),
      secretRef: optional(secretRef('A Secret with the user data under the key userdata or userData.')),
      networkData: optional(inline('Network configuration', 'networkDataSecretRef')),
      networkDataBase64: optional(inlineBase64('Network configuration', 'networkDataSecretRef')),
      networkDataSecretRef: optional(
        secretRef('A Secret with the network configuration under the key networkdata or networkData.'),
      ),
    },
    {
      rules: [
        oneSource(userDataSources),
        oneSource(networkDataSources),
        {
          rule: `${count([...userDataSources, ...networkDataSources])} > 0`,
          message: 'user data or network data must be given, as userData: "#cloud-config"',
          reason: 'FieldValueRequired',
        },
      ],
    },
  );

export const cloudInitNoCloud = cloudInit('A small disk with the configuration that cloud-init reads in the guest.');

export const cloudInitConfigDrive = cloudInit(
  'The same as cloudInitNoCloud, laid out as the config drive of OpenStack, which more programs than cloud-init read.',
);

/** What both kinds of seed are made from. */
export type CloudInit = Infer<typeof cloudInitNoCloud>;
