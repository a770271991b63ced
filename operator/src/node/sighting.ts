/** What is known of one node-daemon from its Lease, by the operator's own clock. Pure. */
import type {Lease} from '@wherry/kube';

export type DaemonState =
  /** It has no Lease: its release is older than that, or there is none. Nothing follows from it. */
  | 'absent'
  /** It was not watched for long enough to tell. */
  | 'unknown'
  | 'answers'
  /** Its Lease has run out. */
  | 'silent'
  /** It has been silent for so long that it is not just being replaced. */
  | 'missing';

export interface Sighting {
  /** What changes with each renewal. It is compared, never read as a time: clocks need not agree. */
  readonly renewal: string;
  /** In ms, as the daemon says. */
  readonly durationMs: number;
  /** When that was seen, on the local monotonic clock; or when watching began, where no renewal was seen since. */
  readonly at: number;
  /** A renewal was seen since watching began. */
  readonly renewed: boolean;
  /** The Lease is there. */
  readonly present: boolean;
}

/** A daemon may not say that it need never be heard of again, nor that it must be all the time. */
const SHORTEST_MS = 5000;
const LONGEST_MS = 300_000;

const durationOf = ({spec}: Lease): number =>
  Math.min(LONGEST_MS, Math.max(SHORTEST_MS, (spec?.leaseDurationSeconds ?? 0) * 1000));

const renewalOf = ({metadata, spec}: Lease): string =>
  `${metadata.uid ?? ''} ${spec?.holderIdentity ?? ''} ${spec?.renewTime ?? ''}`;

/** The Lease as watching finds it when it begins: how old it is, only time will tell. */
export const found = (lease: Lease, now: number): Sighting => ({
  renewal: renewalOf(lease),
  durationMs: durationOf(lease),
  at: now,
  renewed: false,
  present: true,
});

/** The Lease as it is now. The very same sighting where it was not renewed. */
export const seen = (before: Sighting | undefined, lease: Lease, now: number): Sighting =>
  before?.present === true && before.renewal === renewalOf(lease) ? before : {...found(lease, now), renewed: true};

/** The Lease was deleted: its daemon counts as alive for as long as its last renewal holds. */
export const removed = (before: Sighting): Sighting => ({...before, present: false});

/** A daemon that is replaced is silent for as long as its image is pulled: so many times its Lease. */
export const MISSING_AFTER = 3;

export const stateAt = ({at, durationMs, renewed, present}: Sighting, now: number): DaemonState => {
  const held = now - at < durationMs;
  if (held && renewed) return 'answers';
  if (!present) return 'absent';
  if (held) return 'unknown';
  return now - at < MISSING_AFTER * durationMs ? 'silent' : 'missing';
};

export const isSilent = (state: DaemonState): boolean => state === 'silent' || state === 'missing';

/**
 * Its daemon has missed renewals, of which there are several in a Lease's time. They renew at different moments: of those that
 * fall silent together, the last Lease runs out a renewal's time after the first.
 */
export const isOverdue = ({at, durationMs, present}: Sighting, now: number): boolean =>
  present && now - at >= durationMs / 2;

/** In a cluster of fewer nodes "most" means little. */
const FEW = 3;

/**
 * When most daemons fall silent at once, what failed is more likely something that they share, and it may heal: each is
 * then believed to be silent only after twice its time.
 */
export const isBelieved = ({at, durationMs}: Sighting, now: number, overdue: number, all: number): boolean =>
  all < FEW || overdue * 2 <= all || now - at >= 2 * durationMs;
