/** Numbers and texts as Prometheus prints them. */
import { floatText } from '#src/core/go_float.ts';

/** A sample value in JSON answers: as %g, but with an exponent only below 1e-6 and from 1e21 on. */
export function formatSample(value: number): string {
  return floatText(value, 1e-6, 1e21, 2);
}
