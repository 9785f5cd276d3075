/** What tests and the benchmark of the target cache begin with: no limits, no relabelling, timestamps of the exposition. */
import type { CacheOptions } from '#src/helper/scrape/target_cache.ts';

export const CACHE_OPTIONS: CacheOptions = {
  targetLabels: new Map([
    ['instance', 'host:1'],
    ['job', 'test'],
  ]),
  externalLabels: new Map(),
  honorLabels: false,
  honorTimestamps: true,
  trackTimestampsStaleness: false,
  rules: [],
  scheme: 'utf8',
  limits: { labels: 0, nameLength: 0, valueLength: 0 },
  sampleLimit: 0,
  histogramBucketLimit: 0,
  histogramMaxSchema: 8,
  extraMetrics: false,
  timeoutSeconds: 10,
  scopeName: 'scope',
  scopeVersion: '1',
  trimSuffixes: false,
  resource: (job, instance) => [
    ['service.name', job],
    ['service.instance.id', instance],
  ],
};
