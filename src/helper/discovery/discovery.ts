/**
 * Where scrape targets come from: groups of addresses with common labels, from the configuration, from files that are watched, or from an HTTP endpoint
 * that is asked again and again. A source that fails keeps what it said last. YAML is parsed by whoever brings a parser: this folder has none.
 */
import { glob, readFile, stat } from 'node:fs/promises';
import type { Clock } from '#src/core/clock.ts';
import { errorText } from '#src/core/errors.ts';
import type { Log } from '#src/core/telemetry.ts';

export interface TargetGroup {
  /** Unique within a job: the position in the configuration, the file and position in it, the URL and position. */
  readonly source: string;
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

export interface Discovery {
  /** Calls `update` with all groups, at first as soon as they are known, then whenever they changed. */
  start(update: (groups: readonly TargetGroup[]) => void): void;
  stop(): void;
}

export class StaticDiscovery implements Discovery {
  readonly #groups: readonly TargetGroup[];
  constructor(groups: readonly TargetGroup[]) {
    this.#groups = groups;
  }
  start(update: (groups: readonly TargetGroup[]) => void): void {
    update(this.#groups);
  }
  stop(): void {}
}

/** A list of {targets, labels}, as file and HTTP discovery have it. Throws an Error that says what is wrong. */
export function parseGroups(value: unknown, source: string, extra: Readonly<Record<string, string>>): TargetGroup[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw new Error('a list of {targets, labels} was expected');
  return value.map((entry: unknown, index) => {
    const { targets, labels, ...rest } = (entry ?? {}) as { targets?: unknown; labels?: unknown };
    const [unknown] = Object.keys(rest);
    if (unknown !== undefined) throw new Error(`entry ${index} has an unknown key "${unknown}"`);
    if (!Array.isArray(targets) || !targets.every((target) => typeof target === 'string')) throw new Error(`entry ${index}: targets must be a list of texts`);
    const all: Record<string, string> = {};
    if (labels !== undefined && (typeof labels !== 'object' || labels === null || Array.isArray(labels)))
      throw new Error(`entry ${index}: labels must be a map`);
    for (const [name, text] of Object.entries((labels ?? {}) as Record<string, unknown>)) {
      if (typeof text === 'object') throw new Error(`entry ${index}: label "${name}" is no text`);
      all[name] = String(text);
    }
    return { source: `${source}:${index}`, targets, labels: { ...all, ...extra } };
  });
}

/** Asks again every period; overlapping rounds and errors are taken care of here. */
abstract class PollingDiscovery implements Discovery {
  readonly #clock: Clock;
  readonly #periodMs: number;
  protected readonly log: Log;
  #cancel: () => void = () => {};
  #stopped = false;
  #busy = false;
  #last = '';

  constructor(clock: Clock, periodMs: number, log: Log) {
    this.#clock = clock;
    this.#periodMs = periodMs;
    this.log = log;
  }
  protected abstract read(): Promise<readonly TargetGroup[]>;

  start(update: (groups: readonly TargetGroup[]) => void): void {
    const round = async (): Promise<void> => {
      if (this.#busy) return;
      this.#busy = true;
      try {
        const groups = await this.read();
        const text = JSON.stringify(groups);
        if (!this.#stopped && text !== this.#last) {
          this.#last = text;
          update(groups);
        }
      } catch (error) {
        this.log.warn('Targets could not be read; the last ones stay.', { error: errorText(error) });
      } finally {
        this.#busy = false;
      }
    };
    this.#cancel = this.#clock.every(this.#periodMs, () => void round());
    void round();
  }
  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }
}

/** Files are looked at this often for a change of time or size, which costs next to nothing, and read only then. */
const FILE_CHECK_MS = 2000;

export class FileDiscovery extends PollingDiscovery {
  readonly #patterns: readonly string[];
  readonly #parse: (text: string, file: string) => unknown;
  #files = new Map<string, { stamp: string; groups: readonly TargetGroup[] }>();

  constructor(patterns: readonly string[], refreshMs: number, parse: (text: string, file: string) => unknown, clock: Clock, log: Log) {
    super(clock, Math.min(refreshMs, FILE_CHECK_MS), log);
    this.#patterns = patterns;
    this.#parse = parse;
  }

  protected async read(): Promise<readonly TargetGroup[]> {
    const files = new Set<string>();
    for (const pattern of this.#patterns) for await (const file of glob(pattern)) files.add(file);
    const known = new Map<string, { stamp: string; groups: readonly TargetGroup[] }>();
    for (const file of [...files].sort()) {
      const before = this.#files.get(file);
      try {
        const { mtimeMs, size } = await stat(file);
        const stamp = `${mtimeMs} ${size}`;
        if (before?.stamp === stamp) known.set(file, before);
        else known.set(file, { stamp, groups: parseGroups(this.#parse(await readFile(file, 'utf8'), file), file, { __meta_filepath: file }) });
      } catch (error) {
        this.log.warn('A file of targets could not be read; what it said last stays.', { file, error: errorText(error) });
        if (before !== undefined) known.set(file, before);
      }
    }
    this.#files = known;
    return [...known.values()].flatMap((entry) => entry.groups);
  }
}

export class HttpDiscovery extends PollingDiscovery {
  readonly #url: string;
  readonly #get: () => Promise<string>;
  /** `get` fetches the body of `url`, which is JSON. */
  constructor(url: string, refreshMs: number, get: () => Promise<string>, clock: Clock, log: Log) {
    super(clock, refreshMs, log);
    this.#url = url;
    this.#get = get;
  }
  protected async read(): Promise<readonly TargetGroup[]> {
    return parseGroups(JSON.parse(await this.#get()), this.#url, { __meta_url: this.#url });
  }
}
