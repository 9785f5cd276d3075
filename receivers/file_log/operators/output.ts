/** file_output and stdout: entries as lines of JSON beside the pipeline. */
import fs from 'node:fs';
import { z } from 'zod';
import type { Entry } from '#receivers/file_log/entry.ts';
import { toJson } from '#receivers/file_log/json_text.ts';
import type { Value } from '#receivers/file_log/value.ts';
import { Operator, type OperatorContext, operatorKeys } from './base.ts';

export const outputKeys = { ...operatorKeys, path: z.string().default(''), format: z.string().default('') };

/** Lines are gathered up to this size before they are written. */
const CHUNK = 64 * 1024;

export class Output extends Operator {
  readonly #path: string | null;
  #descriptor = -1;
  #pending = '';

  constructor(config: z.output<z.ZodObject<typeof outputKeys>>, context: OperatorContext) {
    super(config, context);
    if (config.format !== '') throw new Error(`${config.type}: format is not supported yet`);
    if (config.type === 'file_output' && config.path === '') throw new Error('file_output: must provide a path to output to');
    this.#path = config.type === 'file_output' ? config.path : null;
  }

  override connect(): void {}

  process(entry: Entry): void {
    this.#pending += `${entryJson(entry)}\n`;
    if (this.#pending.length > CHUNK) this.flush();
  }
  override tick(): void {
    this.flush();
  }
  override flush(): void {
    if (this.#pending === '') return;
    const text = this.#pending;
    this.#pending = '';
    try {
      if (this.#descriptor < 0) this.#descriptor = this.#path === null ? 1 : fs.openSync(this.#path, 'a', 0o600);
      fs.writeSync(this.#descriptor, text);
    } catch (error) {
      this.context.failed(this.id, error, false);
    }
  }
  override close(): void {
    this.flush();
    if (this.#path !== null && this.#descriptor >= 0) fs.closeSync(this.#descriptor);
    this.#descriptor = -1;
  }
}

function entryJson(entry: Entry): string {
  const map = new Map<string, Value>([
    ['timestamp', entry.hasTime ? new Date(entry.seconds * 1000 + entry.nanos / 1e6).toISOString() : null],
    ['body', entry.body],
  ]);
  if (entry.attributes.size > 0) map.set('attributes', entry.attributes);
  if (entry.resource.size > 0) map.set('resource', entry.resource);
  if (entry.severityNumber > 0) map.set('severity', BigInt(entry.severityNumber));
  if (entry.severityText !== '') map.set('severity_text', entry.severityText);
  if (entry.scopeName !== '') map.set('scope_name', entry.scopeName);
  return toJson(map);
}
