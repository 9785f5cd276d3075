/**
 * Compiles a chain to steps over bytes where all of its operators have one and they follow each other in a line. Lines that a step declines,
 * and lines that are not UTF-8, go through the chain itself; both give the same records.
 */
import { isUtf8 } from 'node:buffer';
import type { Chain } from '#receivers/file_log/chain.ts';
import type { Config } from '#receivers/file_log/config.ts';
import type { FileBasis } from '#receivers/file_log/entries.ts';
import { toJson } from '#receivers/file_log/json_text.ts';
import { encodeKeyValue, encodeResource } from '#receivers/file_log/encode.ts';
import { groupKey, type LogBatch } from '#receivers/file_log/log_batch.ts';
import { Container, podOfPath } from '#receivers/file_log/operators/container.ts';
import type { TailedFile } from '#receivers/file_log/tail/tailed_file.ts';
import type { Value, ValueMap } from '#receivers/file_log/value.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { KeyTable } from './keys.ts';
import { Line, NO_PRESETS, Presets } from './line.ts';
import { Constants, type FileState, type Step, stepOf } from './steps.ts';

/** Bytes that are taken at most in one call: some hundred lines. */
const PIECE = 32 * 1024;

/** What lines of a file share, encoded. */
interface FastFile extends FileState {
  /** False: what its entries need is not there, the general path reports it. */
  readonly usable: boolean;
  readonly groupKey: string;
  readonly resource: ValueMap;
}

/** Gives a line to the general path. `at` is where it begins in the block. */
export type Slow = (start: number, end: number, at: number) => void;

export class FastLines {
  readonly #config: Config;
  readonly #container: Container | null;
  readonly #keys: KeyTable;
  readonly #line: Line;
  readonly #steps: readonly Step[];
  readonly #state: FileState;
  readonly #files = new Map<string, FastFile>();

  constructor(config: Config, chain: Chain, keys: KeyTable, line: Line, steps: readonly Step[], state: FileState) {
    this.#config = config;
    const first = chain.operators[0];
    this.#container = first instanceof Container ? first : null;
    this.#keys = keys;
    this.#line = line;
    this.#steps = steps;
    this.#state = state;
  }

  forget(fileId: string): void {
    this.#files.delete(fileId);
  }

  #file(file: TailedFile, basis: FileBasis): FastFile {
    let known = this.#files.get(file.id);
    if (known === undefined) {
      known = this.#build(basis);
      this.#files.set(file.id, known);
    }
    return known;
  }

  #build(basis: FileBasis): FastFile {
    const resource = new Map(basis.resource);
    let usable = true;
    if (this.#container?.addMetadata === true) {
      const path = basis.attributes.get('log.file.path'),
        pod = typeof path === 'string' ? podOfPath(path) : null;
      if (pod === null) usable = false;
      else for (const [key, value] of pod) resource.set(key, value);
    }
    const stream = (name: string): Presets => this.#presets(new Map([...basis.attributes, ['log.iostream', name], ['logtag', 'F']]));
    return {
      usable,
      groupKey: groupKey(resource.size === 0 ? '' : toJson(resource), ''),
      resource,
      plain: this.#presets(basis.attributes),
      stdout: this.#container === null ? NO_PRESETS : stream('stdout'),
      stderr: this.#container === null ? NO_PRESETS : stream('stderr'),
    };
  }

  #presets(attributes: ReadonlyMap<string, Value>): Presets {
    const writer = new ProtoWriter(256),
      ids: number[] = [],
      starts: number[] = [];
    for (const [key, value] of attributes) {
      ids.push(this.#keys.idOfText(key));
      starts.push(writer.length);
      encodeKeyValue(writer, 6, key, value);
    }
    starts.push(writer.length);
    return new Presets(Buffer.concat([writer.written(), Buffer.alloc(8)]), ids, starts);
  }

  /** Takes up to `most` whole lines of [from, end) while the batch has less than `mostBytes`; returns where the next one begins. */
  take(
    batch: LogBatch,
    basis: FileBasis,
    observedMs: number,
    file: TailedFile,
    bytes: Buffer,
    from: number,
    end: number,
    most: number,
    mostBytes: number,
    slow: Slow,
  ): number {
    const shared = this.#file(file, basis);
    if (!shared.usable || from >= end) return from;
    // A piece at a time: the loop then is called often, and runs compiled code from its second call on instead of being replaced while it runs.
    let last = end - from > PIECE ? bytes.lastIndexOf(10, from + PIECE) : -1;
    if (last < from) last = bytes.lastIndexOf(10, end - 1);
    if (last < from) return from;
    const { preserve_leading_whitespaces: keepLeading, preserve_trailing_whitespaces: keepTrailing, max_log_size: maxSize } = this.#config;
    const clean = isUtf8(bytes.subarray(from, last + 1)),
      line = this.#line,
      state = this.#state,
      steps = this.#steps,
      hasContainer = this.#container !== null;
    state.stdout = shared.stdout;
    state.stderr = shared.stderr;
    state.plain = shared.plain;
    line.setInput(bytes);
    const observed = BigInt(Math.trunc(observedMs * 1000)) * 1000n;
    line.observedLo = Number(observed & 0xffffffffn) | 0;
    line.observedHi = Number(observed >> 32n) | 0;
    let at = from,
      group = batch.group(shared.groupKey, () => encodeResource(shared.resource), '');
    const before = group.count;
    for (let left = most; left > 0 && at <= last && group.sizeBytes < mostBytes; left--) {
      const feed = bytes.indexOf(10, at);
      let start = at,
        stop = feed;
      if (stop > start && bytes[stop - 1] === 13) stop--;
      if (stop - start > maxSize) break; // Splitting it is the splitter's.
      if (!keepTrailing) while (stop > start && isSpace(bytes[stop - 1]!)) stop--;
      if (!keepLeading) while (stop > start && isSpace(bytes[start]!)) start++;
      file.recordNumber++;
      if (stop > start) {
        let fits = clean || isUtf8(bytes.subarray(start, stop));
        if (fits) {
          line.begin(start, stop);
          if (!hasContainer) line.usePresets(shared.plain);
          for (let i = 0; i < steps.length; i++) {
            fits = steps[i]!(line);
            if (!fits || line.isDropped) break;
          }
        }
        if (fits && line.isDropped) {
          // No record.
        } else if (fits) {
          line.write(group.writer);
          group.count++;
        } else {
          slow(start, stop, at);
          group = batch.group(shared.groupKey, () => encodeResource(shared.resource), '');
        }
      }
      at = feed + 1;
    }
    if (group.count === before && at === from) return from;
    return at;
  }
}

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}

/** Null where the chain has an operator without a step, or branches. */
export function compileFast(config: Config, chain: Chain): FastLines | null {
  const keys = new KeyTable(),
    constants = new Constants(),
    state: FileState = { stdout: NO_PRESETS, stderr: NO_PRESETS, plain: NO_PRESETS };
  const builders: ((line: Line) => Step)[] = [],
    operators = chain.operators;
  for (let i = 0; i < operators.length; i++) {
    const operator = operators[i]!,
      next = operators[i + 1];
    if (operator.outputs.length !== 1 || (next !== undefined ? operator.outputs[0] !== next : operators.includes(operator.outputs[0]!))) return null;
    const builder = stepOf(operator, keys, constants, state, i === 0);
    if (builder === null) return null;
    builders.push(builder);
  }
  const line = new Line(keys, constants.finish());
  return new FastLines(
    config,
    chain,
    keys,
    line,
    builders.map((builder) => builder(line)),
    state,
  );
}
