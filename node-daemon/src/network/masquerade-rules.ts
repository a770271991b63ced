/** The nftables rules of one `masquerade` interface, as text for `nft -f -`. Pure. */
import type {PortSpan} from '../machine/interfaces.ts';
import type {MasqueradeAddresses} from '../machine/masquerade.ts';

export interface MasqueradeRules {
  /** The tap that carries the guest. */
  readonly tap: string;
  /** IPv4 address of the pod. */
  readonly podAddress: string;
  readonly addresses: Pick<MasqueradeAddresses, 'gateway' | 'guest'>;
  /** Forwarded to the guest; all where there are none. */
  readonly ports: readonly PortSpan[];
}

const TABLE = 'wherry';

type Span = Pick<PortSpan, 'start' | 'end'>;

/** In order, without overlaps: a set of nft takes each port once. */
const merged = (spans: readonly Span[]): readonly Span[] => {
  const done: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start)) {
    const last = done.at(-1);
    if (last === undefined || span.start > last.end + 1) done.push(span);
    else done[done.length - 1] = {start: last.start, end: Math.max(last.end, span.end)};
  }
  return done;
};

const textOf = ({start, end}: Span): string => (start === end ? `${start}` : `${start}-${end}`);

/** Matches what is forwarded. Without declared ports that is everything that is sent to the pod, ICMP included. */
const forwarded = (ports: readonly PortSpan[], all: string): readonly string[] => {
  if (ports.length === 0) return [all];
  const of = (protocol: 'TCP' | 'UDP'): string[] => {
    const spans = merged(ports.filter(one => one.protocol === protocol));
    return spans.length === 0 ? [] : [`${protocol.toLowerCase()} dport { ${spans.map(textOf).join(', ')} }`];
  };
  return [...of('TCP'), ...of('UDP')].map(match => `${match} `);
};

/**
 * The whole table, which replaces the one that is there in a single transaction: there is no moment without rules, and
 * applying it twice changes nothing.
 *
 * - `guard`: the tap has route_localnet, so a guest could reach what listens on the pod's loopback; and it may send only
 *   from its own address.
 * - `prerouting`: what comes for the pod's address goes to the guest, from the guest itself too.
 * - `output`: so does what the pod itself connects to, on which `kubectl port-forward` rests.
 * - `postrouting`: the guest sees its gateway where it could not answer the true source, and the world sees the pod.
 */
export const masqueradeRules = ({tap, podAddress, addresses, ports}: MasqueradeRules): string => {
  const {gateway, guest} = addresses;
  const inbound = forwarded(ports, '').map(match => `    ip daddr ${podAddress} ${match}dnat to ${guest}`);
  const local = forwarded(ports, 'meta l4proto { tcp, udp } ').map(
    match => `    ip daddr { 127.0.0.1, ${podAddress} } ${match}dnat to ${guest}`,
  );
  return `table ip ${TABLE} {}
delete table ip ${TABLE}
table ip ${TABLE} {
  chain guard {
    type filter hook prerouting priority raw; policy accept;
    iifname "${tap}" ip daddr 127.0.0.0/8 drop
    iifname "${tap}" ip saddr != { ${guest}, 0.0.0.0 } drop
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
${inbound.join('\n')}
  }
  chain output {
    type nat hook output priority -100; policy accept;
${local.join('\n')}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "${tap}" ip saddr { 127.0.0.1, ${guest} } snat to ${gateway}
    oifname != "${tap}" ip saddr ${guest} masquerade
  }
}
`;
};
