import type { Counter, TelemetryAttributes } from '#src/core/telemetry.ts';

/** Counts by the name of a limit. One object of attributes for each: a flood of refusals shall not be a flood of objects. */
export function limitHits(counter: Counter | undefined, attributes: TelemetryAttributes | undefined): (limit: string) => void {
  const byLimit = new Map<string, TelemetryAttributes>();
  return (limit) => {
    let known = byLimit.get(limit);
    if (known === undefined) byLimit.set(limit, (known = { ...attributes, limit }));
    counter?.add(1, known);
  };
}
