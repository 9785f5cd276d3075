import { Admission } from '#src/net/admission.ts';
import type { ConnectionLimits } from '#src/net/http2/server_connection.ts';

/** Limits that no test or bench meets unless it narrows them. */
export const WIDE_LIMITS: ConnectionLimits = {
  maxStreams: 1000,
  maxMessageBytes: 4 << 20,
  maxIdleMs: 0,
  maxAgeMs: 0,
  ageGraceMs: 0,
  pingAfterMs: 1e9,
  pingTimeoutMs: 1e9,
  minPingMs: 0,
  pingsWithoutCalls: true,
  maxUnsentBytes: 1 << 20,
  stallMs: 1e9,
  admission: new Admission(),
  refused: () => {},
  closed: () => {},
};
