/** What a guest is told by DHCP beyond its address. */
import {type Infer, integer, list, listMap, object, optional, string} from '../schema/index.ts';

/**
 * Bytes that all of it may take in the answer. Every client takes 576 bytes, headers included; what is left of them
 * beside the address, four name servers and a host name of 63 characters is this much.
 */
export const MAX_DHCP_OPTIONS = 192;

const text = (description: string) => string(description, {minLength: 1, maxLength: MAX_DHCP_OPTIONS - 2});

const ntpServer = string('IPv4 address of a time server.', {
  maxLength: 15,
  rules: [
    {
      rule: 'isIP(self) && ip(self).family() == 4',
      message: 'must be an IPv4 address: DHCP cannot give a name or an IPv6 address of a time server',
    },
  ],
});

const privateOption = object('An option that has its meaning for your guest alone.', {
  option: integer('Number of the option.', {minimum: 224, maximum: 254}),
  value: text('Value of the option, as it is.'),
});

const bytesOf = (field: string) => `(has(self.${field}) ? size(bytes(self.${field})) + 2 : 0)`;

export const dhcpOptions = object(
  'What the guest is told by DHCP beyond its address, name servers, domains, host name and MTU.',
  {
    bootFileName: optional(text('What a network boot loads (option 67), and the file name of BOOTP.')),
    tftpServerName: optional(
      text('Where a network boot loads it from (option 66); the next server of BOOTP too where it is an IPv4 address.'),
    ),
    ntpServers: optional(list('Time servers (option 42).', ntpServer, {maxItems: 16})),
    privateOptions: optional(listMap('Private options, 224 to 254.', privateOption, {keys: ['option'], maxItems: 31})),
  },
  {
    rules: [
      {
        rule:
          `${bytesOf('bootFileName')} + ${bytesOf('tftpServerName')} + ` +
          '(has(self.ntpServers) ? size(self.ntpServers) * 4 + 2 : 0) + ' +
          '(has(self.privateOptions) ? self.privateOptions.map(one, size(bytes(one.value)) + 2).sum() : 0) ' +
          `<= ${MAX_DHCP_OPTIONS}`,
        message: `takes more than ${MAX_DHCP_OPTIONS} bytes of the answer, which small DHCP clients would not take: an option is as long as its text and two bytes, a time server 4`,
      },
    ],
  },
);
export type DhcpOptions = Infer<typeof dhcpOptions>;
