/** What one channel of a connection may be granted. */
export interface WindowShare {
  /** Window to open the channel with. */
  firstBytes: number;
  /** Given how much it would like to be granted, return how much it may be, and no less than the floor. */
  limit(wantedBytes: number): number;
  /** Say what it is granted now: its open window, and what has arrived and is not read yet. */
  hold(grantedBytes: number): void;
  /** Give everything back; more than once is no harm. */
  leave(): void;
}

/** The receive windows of one connection: what its peer may send without being asked again, and so the memory that it can cost. */
export interface WindowBudget {
  /** Resolves to a channel's share as soon as there is room for one more; to undefined when there was none within the limit. */
  join(timeoutMs: number): Promise<WindowShare | undefined>;
  /** Granted now, over all channels. */
  grantedBytes(): number;
  /** The shortest round trip seen, in milliseconds; infinite before the first. */
  roundTripMs(): number;
  noteRoundTrip(ms: number): void;
  /** The largest window that the connection has use for. */
  largestBytes(): number;
  /** While somebody types on this connection: no deep queues. Returns how to take it back. */
  keepSmall(): () => void;
  /** Whether the windows are ours to set; false once ssh2 was found to be another than the one that we know. */
  isOurs(): boolean;
  leaveToLibrary(): void;
}

const KIB = 1024;
const MIB = 1024 * KIB;
/** At most so many bytes are granted to one connection's peer. */
export const budgetBytes = 64 * MIB;
/** ssh2's own window, and OpenSSH's. */
export const usualWindowBytes = 2 * MIB;
const largestWindowBytes = 16 * MIB;
/** Every channel has as much as this, whatever the others hold: they share half of the budget in equal parts … */
const floorBytes = 128 * KIB;
const mostChannels = 256;
/** … and may borrow from the other half. */
const sharedBytes = budgetBytes - mostChannels * floorBytes;
/** A new channel leaves most of what is spare to those that will show that they need it. */
const firstPart = 1 / 16;

/**
 * Returns the budget of a new connection. A channel may borrow as much as it leaves to the others: dynamic thresholds
 * (Choudhury and Hahne, 1998), with which n busy channels settle at an equal part each and a newcomer always finds one.
 */
export function makeWindowBudget(): WindowBudget {
  let spareBytes = sharedBytes;
  let grantedBytes = 0;
  let channels = 0;
  let roundTripMs = Infinity;
  let shells = 0;
  let ours = true;
  const waiting: ((share: WindowShare) => void)[] = [];

  const makeShare = (): WindowShare => {
    channels++;
    let own = 0;
    let left = false;
    const borrowed = (): number => Math.max(0, own - floorBytes);
    const hold = (bytes: number): void => {
      if (left) return;
      spareBytes += borrowed();
      grantedBytes += bytes - own;
      own = bytes;
      spareBytes -= borrowed();
    };
    const firstBytes = Math.min(usualWindowBytes, floorBytes + Math.floor(spareBytes * firstPart));
    hold(firstBytes);
    return {
      firstBytes,
      hold,
      limit: (wantedBytes) => {
        const more = Math.max(0, Math.floor((spareBytes - borrowed()) / 2));
        return Math.min(wantedBytes, floorBytes + borrowed() + more);
      },
      leave: () => {
        if (left) return;
        hold(0);
        left = true;
        channels--;
        waiting.shift()?.(makeShare());
      },
    };
  };

  return {
    join: (timeoutMs) => {
      if (channels < mostChannels) return Promise.resolve(makeShare());
      return new Promise((resolve) => {
        const enter = (share: WindowShare): void => {
          clearTimeout(timer);
          resolve(share);
        };
        const timer = setTimeout(() => {
          waiting.splice(waiting.indexOf(enter), 1);
          resolve(undefined);
        }, timeoutMs);
        waiting.push(enter);
      });
    },
    grantedBytes: () => grantedBytes,
    roundTripMs: () => roundTripMs,
    noteRoundTrip: (ms) => void (roundTripMs = Math.min(roundTripMs, ms)),
    largestBytes: () => (shells > 0 ? usualWindowBytes : largestWindowBytes),
    keepSmall: () => {
      shells++;
      return () => void shells--;
    },
    isOurs: () => ours,
    leaveToLibrary: () => void (ours = false),
  };
}
