/** 64-bit integers and times written as two 32-bit words, because a JavaScript number cannot hold them. */

/** Milliseconds since the epoch as fixed64 nanoseconds. */
export function putTime(view: DataView, at: number, timeMs: number): void {
  if (!(timeMs >= 0 && timeMs < 1.8e13)) {
    view.setBigInt64(at, BigInt(Math.trunc(timeMs)) * 1_000_000n, true);
    return;
  }
  // Split so that every product stays below 2^53.
  const ms = Math.floor(timeMs);
  const high = Math.floor(ms / 65536) * 1_000_000;
  const low = (high % 65536) * 65536 + (ms % 65536) * 1_000_000;
  view.setInt32(at, (low % 4294967296) | 0, true);
  view.setInt32(at + 4, (Math.floor(high / 65536) + Math.floor(low / 4294967296)) | 0, true);
}

/** Seconds since the epoch with a fraction as fixed64 nanoseconds, rounded as the Collector does. */
export function putSeconds(view: DataView, at: number, seconds: number): void {
  const whole = Number.isFinite(seconds) ? Math.trunc(seconds) : 0;
  const nanos = Math.trunc((seconds - whole) * 1e9) || 0;
  view.setBigInt64(at, BigInt.asIntN(64, BigInt(whole) * 1_000_000_000n + BigInt(nanos)), true);
}

/** A count as fixed64. What is no count becomes what Go's conversion on amd64 makes of it. */
export function putCount(view: DataView, at: number, count: number): void {
  if (count >= 0 && count <= 9007199254740991) {
    const whole = Math.floor(count);
    view.setInt32(at, (whole % 4294967296) | 0, true);
    view.setInt32(at + 4, (whole / 4294967296) | 0, true);
    return;
  }
  if (Number.isFinite(count) && Math.abs(count) < 1.8446744073709552e19) view.setBigUint64(at, BigInt.asUintN(64, BigInt(Math.trunc(count))), true);
  else view.setBigUint64(at, 0x8000000000000000n, true);
}

/** A sample's value; NaN with the bits that Prometheus gives to a NaN that is no staleness marker. */
export function putValue(view: DataView, at: number, value: number): void {
  if (Number.isNaN(value)) {
    view.setInt32(at, 1, true);
    view.setInt32(at + 4, 0x7ff80000, true);
  } else view.setFloat64(at, value, true);
}
