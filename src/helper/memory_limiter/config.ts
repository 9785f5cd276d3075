/** Keys, defaults and checks of the Collector's memory limiter, which is a processor and an extension with the same options. */
import { z } from 'zod';
import { duration } from '#src/config/schema.ts';

const mib = (text: string) => z.int().nonnegative().max(0xffffffff).default(0).describe(text);
const percent = (text: string) => z.int().min(0).max(100).default(0).describe(text);

export const memoryLimiterSchema = z
  .strictObject({
    check_interval: duration().prefault('0s').describe('How often memory is measured; must be given, 1s is good.'),
    limit_mib: mib('Hard limit of resident memory in MiB.'),
    spike_limit_mib: mib('Refusing begins so much below the limit; default: 20 % of it.'),
    limit_percentage: percent("Hard limit in percent of the container's or machine's memory; used where limit_mib is 0."),
    spike_limit_percentage: percent('Refusing begins so much below the limit, in percent of the total; default: 20 % of the limit.'),
    min_gc_interval_when_soft_limited: duration().prefault('10s').describe('Least time between two forced collections above the soft limit.'),
    min_gc_interval_when_hard_limited: duration().prefault('0s').describe('Least time between two forced collections above the hard limit.'),
  })
  .check((context) => {
    const c = context.value,
      wrong = (path: string, message: string) => context.issues.push({ code: 'custom', input: c, path: [path], message });
    if (c.check_interval <= 0) wrong('check_interval', "'check_interval' must be greater than zero; write check_interval: 1s");
    if (c.limit_mib === 0 && c.limit_percentage === 0) wrong('limit_mib', "'limit_mib' or 'limit_percentage' must be greater than zero");
    if (c.limit_mib > 0 && c.spike_limit_mib >= c.limit_mib) wrong('spike_limit_mib', "'spike_limit_mib' must be smaller than 'limit_mib'");
    if (c.limit_percentage > 0 && c.spike_limit_percentage >= c.limit_percentage)
      wrong('spike_limit_percentage', "'spike_limit_percentage' must be smaller than 'limit_percentage'");
    if (c.min_gc_interval_when_soft_limited < c.min_gc_interval_when_hard_limited)
      wrong('min_gc_interval_when_soft_limited', "'min_gc_interval_when_soft_limited' should be larger than 'min_gc_interval_when_hard_limited'");
  });
