/** The decision: one function for each configuration, called with the cursors standing on a record, true where it stays. It knows neither spans nor logs. */
import { ALWAYS, Bits56, HIGHEST, NEVER, thresholdOf } from './bits56.ts';
import type { Config } from './config.ts';
import { BUCKETS } from './hash.ts';
import type { Item } from './item.ts';

export function makeSampler(config: Config, item: Item): () => boolean {
  const { decide, hashes, never } = policyOf(config, item);
  const onFault = config.fail_closed ? NEVER : ALWAYS;
  const own = new Bits56();
  return () => {
    const readable = item.read();
    /** Whether the record may be written to: not where it speaks of another kind of sampling, or where it cannot be read. */
    let writable = readable,
      found = true,
      fault = !readable,
      randomness: Readonly<Bits56> = HIGHEST;
    if (hashes) {
      found = item.hash(own);
      if (readable && (item.hasRandomness || item.hasThreshold)) {
        fault = true;
        writable = false;
      } else if (readable) item.setHashed(own, found);
      if (found) randomness = own;
    } else if (!never && readable) {
      if (item.hasRandomness) randomness = item.randomness;
      else {
        found = item.fromTraceId(own);
        if (found) randomness = own;
      }
    }
    if (!fault && !found) fault = true;
    else if (!fault && item.hasThreshold && item.threshold.isAbove(randomness)) {
      item.clearThreshold(); // It says that it was kept by a threshold that would have dropped it.
      fault = true;
    }
    const threshold = item.priority() ?? (fault ? onFault : decide());
    if (threshold.isAbove(randomness)) return false;
    if (writable) item.kept(item.hasThreshold && item.threshold.isAbove(threshold) ? null : threshold);
    return true;
  };
}

interface Policy {
  /** The threshold for the record that was read. */
  readonly decide: () => Readonly<Bits56>;
  readonly hashes: boolean;
  readonly never: boolean;
}

function policyOf(config: Config, item: Item): Policy {
  // Percentages are 32-bit floats in the Collector, and the share is computed from that.
  const percentage = Math.min(Math.fround(config.sampling_percentage), 100),
    ratio = percentage / 100,
    precision = config.sampling_precision;
  const none: Policy = { decide: () => NEVER, hashes: false, never: true };
  if (percentage === 0) return none;
  if (config.mode === 'equalizing') {
    const wanted = thresholdOf(ratio, precision)!;
    return { decide: () => (item.hasThreshold && item.threshold.isAbove(wanted) ? item.threshold : wanted), hashes: false, never: false };
  }
  if (config.mode === 'proportional') {
    const fresh = thresholdOf(ratio, precision) ?? NEVER;
    return {
      decide: () => (item.hasThreshold ? (thresholdOf(item.threshold.probability() * ratio, precision) ?? NEVER) : fresh),
      hashes: false,
      never: false,
    };
  }
  const accepted = Math.trunc(Math.fround(percentage * Math.fround(BUCKETS / 100)));
  if (accepted === 0) return none;
  const wanted = new Bits56((BUCKETS - accepted) << 14, 0);
  return { decide: () => wanted, hashes: true, never: false };
}
