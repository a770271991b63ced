/** How the guest resolves names: the pod's resolver, which the guest gets by DHCP (core/v1 PodDNSConfig). */
import {enumeration, type Infer, list, object, optional, string} from '../schema/index.ts';

export const dnsPolicies = ['', 'ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'] as const;

export const dnsPolicy = enumeration(
  'Where name servers and search domains come from. ClusterFirst: from the cluster. Default: from the node. None: from dnsConfig alone. ClusterFirstWithHostNet means ClusterFirst. Defaults to ClusterFirst.',
  dnsPolicies,
);

const nameserver = string('IP address of a name server.', {
  maxLength: 45,
  rules: [{rule: 'isIP(self)', message: 'must be an IP address, as 10.96.0.10'}],
});

const searchDomain = string('A domain in which names are looked up.', {
  minLength: 1,
  maxLength: 253,
  pattern: String.raw`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`,
});

/** Kubernetes takes more by now; a resolver in a guest may be older than that. */
const MAX_SEARCH_CHARACTERS = 256;

export const dnsConfig = object('Name servers and search domains beside those of dnsPolicy.', {
  nameservers: optional(list('Name servers, asked in this order.', nameserver, {maxItems: 3})),
  searches: optional(
    list('Search domains, tried in this order.', searchDomain, {
      maxItems: 6,
      rules: [
        {
          rule: `self.join(' ').size() <= ${MAX_SEARCH_CHARACTERS}`,
          message: `must have at most ${MAX_SEARCH_CHARACTERS} characters in all, with a space between two: remove some`,
        },
      ],
    }),
  ),
  options: optional(
    list(
      'Options of the resolver of the pod; a guest learns none of them by DHCP.',
      object('An option.', {
        name: string('Name of the option, as ndots.', {minLength: 1, maxLength: 63}),
        value: optional(string('Value of the option.', {maxLength: 63})),
      }),
      {maxItems: 32},
    ),
  ),
});
export type DnsConfig = Infer<typeof dnsConfig>;

export const dnsRules = [
  {
    rule:
      "!has(self.dnsPolicy) || self.dnsPolicy != 'None' || " +
      '(has(self.dnsConfig) && has(self.dnsConfig.nameservers) && self.dnsConfig.nameservers.size() > 0)',
    message: 'must name at least one name server where dnsPolicy is None, as nameservers: [10.96.0.10]',
    fieldPath: '.dnsConfig',
  },
];
