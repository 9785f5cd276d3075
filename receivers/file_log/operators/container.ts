/**
 * Lines of container runtimes: docker (JSON), containerd and CRI-O (time, stream, tag, text). Partial lines are joined, metadata of pod and
 * container come from the path. The fast path has the same for CRI lines (fast/line.ts); what it finds odd comes here.
 */
import { z } from 'zod';
import { byteSize } from '#receivers/file_log/byte_size.ts';
import type { Entry } from '#receivers/file_log/entry.ts';
import { Field } from '#receivers/file_log/field.ts';
import { parseJson } from '#receivers/file_log/json_text.ts';
import { typeName, type ValueMap } from '#receivers/file_log/value.ts';
import { TimeReader } from '#src/helper/time/reader.ts';
import { loadZone, UTC } from '#src/helper/time/zone.ts';
import type { OperatorContext } from './base.ts';
import { Parser, parserKeys } from './parser.ts';
import { Joiner } from './recombine.ts';

export const containerKeys = {
  ...parserKeys,
  format: z.string().default(''),
  add_metadata_from_filepath: z.boolean().default(true),
  max_log_size: byteSize().prefault(0),
};

const CRIO = /^([^ Z]+) (stdout|stderr) ([^ ]*) ?([^\n]*)$/,
  CONTAINERD = /^([^ ^Z]+Z) (stdout|stderr) ([^ ]*) ?([^\n]*)$/;
const PATH = /^.*[/\\]([^_]+)_([^_]+)_([a-f0-9-]+)[/\\]([^\\._]+)[/\\](\d+)\.log$/;
const PATH_KEYS = ['k8s.namespace.name', 'k8s.pod.name', 'k8s.pod.uid', 'k8s.container.name', 'k8s.container.restart_count'];
const FORCE_FLUSH_MS = 5000,
  MAX_BATCH = 1000,
  MAX_UNMATCHED = 100,
  MAX_SOURCES = 1000;

/** Resource attributes in the path of a pod's log file, or null where it is no such path. */
export function podOfPath(path: string): [key: string, value: string][] | null {
  const match = PATH.exec(path);
  return match === null ? null : PATH_KEYS.map((key, i): [string, string] => [key, match[i + 1]!]);
}

export class Container extends Parser {
  /** '', 'docker', 'containerd' or 'crio'; '' finds out by the line. */
  readonly format: string;
  readonly addMetadata: boolean;
  readonly #utcTimes: TimeReader;
  readonly #localTimes: TimeReader;
  readonly #joiner: Joiner;

  constructor(config: z.output<z.ZodObject<typeof containerKeys>>, context: OperatorContext) {
    super(config, context);
    if (!['', 'docker', 'containerd', 'crio'].includes(config.format))
      throw new Error(`invalid format "${config.format}"; use one of docker, crio, containerd`);
    this.format = config.format;
    this.addMetadata = config.add_metadata_from_filepath;
    const nowMs = (): number => context.nowMs();
    this.#utcTimes = TimeReader.ofGo('2006-01-02T15:04:05.999Z', { zone: UTC, nowMs });
    this.#localTimes = TimeReader.ofGo('2006-01-02T15:04:05.999999999Z07:00', { zone: loadZone('Local'), nowMs });
    const limits = { maxLogSize: config.max_log_size, maxBatchSize: MAX_BATCH, maxUnmatched: MAX_UNMATCHED, maxSources: MAX_SOURCES, flushMs: FORCE_FLUSH_MS };
    this.#joiner = new Joiner(new Field('body', []), '', false, limits, (entry) => this.write(entry));
  }

  parse(text: string, entry: Entry): ValueMap {
    const format = this.#formatOf(entry);
    if (format === 'docker') {
      const value = parseJson(text);
      if (!(value instanceof Map)) throw new Error('the docker line is not a JSON object');
      return value;
    }
    const match = (format === 'containerd' ? CONTAINERD : CRIO).exec(text);
    if (match === null) throw new Error('regex pattern does not match');
    return new Map([
      ['time', match[1]!],
      ['stream', match[2]!],
      ['logtag', match[3]!],
      ['log', match[4]!],
    ]);
  }

  #formatOf(entry: Entry): string {
    if (this.format !== '') return this.format;
    const value = this.parseFrom.get(entry);
    if (typeof value !== 'string') throw new Error(`type ${typeName(value)} cannot be parsed as container logs`);
    if (value.startsWith('{')) return 'docker';
    if (CRIO.test(value)) return 'crio';
    if (CONTAINERD.test(value)) return 'containerd';
    throw new Error('failed to detect a valid container log format: entry cannot be parsed as container logs');
  }

  override handle(entry: Entry): boolean {
    const format = this.#formatOf(entry);
    this.parseInto(entry);
    const attributes = entry.attributes,
      time = attributes.get('time');
    if (typeof time !== 'string') throw new Error('failed to parse time: the line has none');
    const times = format === 'crio' ? this.#localTimes : this.#utcTimes;
    times.read(time);
    entry.setTime(times.seconds, times.nanos);
    attributes.delete('time');
    const log = attributes.get('log');
    if (log === undefined) throw new Error('move: field log does not exist');
    attributes.delete('log');
    new Field('body', []).set(entry, log);
    const stream = attributes.get('stream');
    if (stream === undefined) throw new Error('move: field stream does not exist');
    attributes.delete('stream');
    attributes.set('log.iostream', stream);
    if (this.addMetadata) {
      const path = attributes.get('log.file.path'),
        pod = typeof path === 'string' ? podOfPath(path) : null;
      if (typeof path !== 'string') throw new Error(`type ${typeName(path)} cannot be parsed as log path field`);
      if (pod === null) throw new Error('failed to detect a valid log path');
      for (const [key, value] of pod) entry.resource.set(key, value);
    }
    if (format === 'docker') return true;
    const isLast = attributes.get('logtag') === 'F',
      path = attributes.get('log.file.path');
    const source = typeof path === 'string' && path !== '' ? path : entry.source;
    try {
      this.#joiner.add(entry, source, isLast);
    } catch (error) {
      this.context.failed(this.id, error, false);
    }
    if (isLast) this.#joiner.flush(source);
    return false;
  }

  override get held(): number {
    return this.#joiner.held;
  }
  override eachHeld(visit: (entry: Entry) => void): void {
    this.#joiner.eachHeld(visit);
  }
  override tick(nowMs: number): void {
    this.#joiner.flushOlderThan(nowMs);
  }
  override flush(): void {
    this.#joiner.flushAll();
  }
}
