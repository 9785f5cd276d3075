/**
 * Log lines of the program itself: one line each, as text with tabs (time, level, message, fields as JSON: the Collector's console form without
 * source places) or as one JSON object. Repeated messages are thinned out. Rotation is left to whoever owns the file.
 */
import { openSync, writeSync } from 'node:fs';
import type { Log } from './telemetry.ts';
import { errorText } from './errors.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
type Fields = Readonly<Record<string, unknown>>;

export interface LogOptions {
  readonly level: LogLevel;
  readonly encoding: 'console' | 'json';
  /** "stderr", "stdout" or files, which are appended to. */
  readonly outputPaths: readonly string[];
  readonly fields: Fields;
  /** Of the same level and message within a tick, the first `initial` are written, then every `thereafter`-th (0: none). Null: all. */
  readonly sampling: { readonly tickMs: number; readonly initial: number; readonly thereafter: number } | null;
}
export const DEFAULT_LOG_OPTIONS: LogOptions = { level: 'info', encoding: 'console', outputPaths: ['stderr'], fields: {}, sampling: null };

/** Messages that are counted apart within a tick; beyond, nothing is thinned out. */
const MAX_SAMPLED_MESSAGES = 4096;

/** Where all lines of the program go. Throws where an output file cannot be opened. */
export class LogSink {
  readonly #options: LogOptions;
  readonly #outputs: readonly ((line: string) => void)[];
  readonly #lowest: number;
  readonly #counts = new Map<string, number>();
  #tickEndMs = 0;

  constructor(options: LogOptions) {
    this.#options = options;
    this.#lowest = LOG_LEVELS.indexOf(options.level);
    this.#outputs = options.outputPaths.map(output);
  }

  /** A log whose lines carry these fields. */
  child(fields: Fields): Log {
    const write = (level: LogLevel) => (message: string, own?: Fields) => this.write(level, message, fields, own);
    return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  }

  write(level: LogLevel, message: string, fields: Fields, own: Fields | undefined): void {
    if (LOG_LEVELS.indexOf(level) < this.#lowest) return;
    const nowMs = Date.now();
    if (!this.#isSampled(level, message, nowMs)) return;
    const time = new Date(nowMs).toISOString();
    const all = { ...this.#options.fields, ...fields, ...own };
    const line =
      this.#options.encoding === 'json'
        ? toJson({ level, ts: time, msg: message, ...all })
        : `${time}\t${level}\t${message}${Object.keys(all).length === 0 ? '' : `\t${toJson(all)}`}`;
    for (const put of this.#outputs) put(`${line}\n`);
  }

  #isSampled(level: LogLevel, message: string, nowMs: number): boolean {
    const { sampling } = this.#options;
    if (sampling === null) return true;
    if (nowMs >= this.#tickEndMs) {
      this.#counts.clear();
      this.#tickEndMs = nowMs + sampling.tickMs;
    }
    const key = `${level} ${message}`,
      count = (this.#counts.get(key) ?? 0) + 1;
    if (count > 1 || this.#counts.size < MAX_SAMPLED_MESSAGES) this.#counts.set(key, count);
    return count <= sampling.initial || (sampling.thereafter > 0 && (count - sampling.initial) % sampling.thereafter === 0);
  }
}

function output(path: string): (line: string) => void {
  if (path === 'stderr') return (line) => void process.stderr.write(line);
  if (path === 'stdout') return (line) => void process.stdout.write(line);
  const file = openSync(path, 'a');
  return (line) => {
    try {
      writeSync(file, line);
    } catch (error) {
      process.stderr.write(`cannot write the log file ${path}: ${errorText(error)}\n${line}`); // A full disk must not end the program.
    }
  };
}

/** Errors show their text, big integers their digits; what goes in a circle is cut. */
function toJson(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, item: unknown) => (item instanceof Error ? errorText(item) : typeof item === 'bigint' ? String(item) : item));
  } catch (error) {
    return JSON.stringify({ unprintable: errorText(error) });
  }
}
