/**
 * Measures memory on a timer and says whether data may come in. What is measured is the resident size of the process, because buffers outside
 * the JavaScript heap are most of what we hold; the Collector measures its Go heap.
 */
import fs from 'node:fs';
import os from 'node:os';
import v8 from 'node:v8';
import vm from 'node:vm';
import type { Clock } from '#src/core/clock.ts';
import { RetryableError } from '#src/core/errors.ts';
import type { Log } from '#src/core/telemetry.ts';

const MIB = 1 << 20;

export interface LimiterSettings {
  readonly check_interval: number;
  readonly limit_mib: number;
  readonly spike_limit_mib: number;
  readonly limit_percentage: number;
  readonly spike_limit_percentage: number;
  readonly min_gc_interval_when_soft_limited: number;
  readonly min_gc_interval_when_hard_limited: number;
}

/** Bytes this process may use: the cgroup's limit (v2, v1) or the machine's memory. */
export function totalMemoryBytes(read: (file: string) => string = (file) => fs.readFileSync(file, 'utf8')): number {
  for (const file of ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes']) {
    try {
      const bytes = Number(read(file).trim());
      if (bytes > 0 && bytes < os.totalmem()) return bytes;
    } catch {
      // Another version of cgroups, or none.
    }
  }
  return os.totalmem();
}

/** Hard and soft limit in bytes. */
export function limitsOf(settings: LimiterSettings, totalBytes: () => number): { hard: number; soft: number } {
  if (settings.limit_mib > 0) {
    const hard = settings.limit_mib * MIB;
    return { hard, soft: hard - (settings.spike_limit_mib * MIB || Math.floor(hard / 5)) };
  }
  const total = totalBytes(),
    hard = Math.floor((settings.limit_percentage * total) / 100);
  return { hard, soft: hard - (Math.floor((settings.spike_limit_percentage * total) / 100) || Math.floor(hard / 5)) };
}

/** A full collection; V8 hands out the function only after the flag was set. */
function collectGarbage(): void {
  v8.setFlagsFromString('--expose-gc');
  (vm.runInNewContext('gc') as () => void)();
}

export class Limiter {
  readonly hard: number;
  readonly soft: number;
  refusing = false;
  readonly #settings: LimiterSettings;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #usedBytes: () => number;
  readonly #collect: () => void;
  /** One for all who are refused: making an error costs more than refusing. */
  readonly #refusal: RetryableError;
  #collectedMs = Number.NEGATIVE_INFINITY;
  #stopTimer: (() => void) | null = null;

  constructor(settings: LimiterSettings, clock: Clock, log: Log, usedBytes: () => number = () => process.memoryUsage.rss(), collect = collectGarbage) {
    ({ hard: this.hard, soft: this.soft } = limitsOf(settings, totalMemoryBytes));
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
    this.#usedBytes = usedBytes;
    this.#collect = collect;
    this.#refusal = new RetryableError('data refused due to high memory usage', { reason: 'exhausted', retryAfterMs: settings.check_interval });
  }

  /** Why nothing may come in now, or null. */
  refusal(): RetryableError | null {
    return this.refusing ? this.#refusal : null;
  }

  start(): void {
    this.#stopTimer ??= this.#clock.every(this.#settings.check_interval, () => this.check());
  }

  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = null;
  }

  check(): void {
    let used = this.#usedBytes();
    if (used > this.soft) {
      const hard = used > this.hard,
        { min_gc_interval_when_hard_limited, min_gc_interval_when_soft_limited } = this.#settings;
      if (this.#clock.nowMs() - this.#collectedMs >= (hard ? min_gc_interval_when_hard_limited : min_gc_interval_when_soft_limited)) {
        this.#collect();
        this.#collectedMs = this.#clock.nowMs();
        used = this.#usedBytes();
      }
    }
    const refusing = used > this.soft;
    if (refusing !== this.refusing) {
      const fields = { cur_mem_mib: Math.round(used / MIB), soft_limit_mib: Math.round(this.soft / MIB), hard_limit_mib: Math.round(this.hard / MIB) };
      if (refusing) this.#log.warn('Memory usage is above soft limit. Refusing data.', fields);
      else this.#log.info('Memory usage back within limits. Resuming normal operation.', fields);
    }
    this.refusing = refusing;
  }
}
