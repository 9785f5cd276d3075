/**
 * The kinds of errors that callers tell apart. Everything else that is thrown is a defect of ours and is treated as permanent.
 */

/** One fault of a configuration. `path` leads from the root of the merged configuration to the value; the config layer adds file, line and column. */
export interface ConfigIssue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** The configuration is refused; all faults that were found, not only the first. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly issues: readonly ConfigIssue[];
  constructor(issues: readonly ConfigIssue[] | string, options?: ErrorOptions) {
    const list = typeof issues === 'string' ? [{ path: [], message: issues }] : issues;
    super(list.map((issue) => (issue.path.length > 0 ? `${issue.path.join('::')}: ${issue.message}` : issue.message)).join('\n'), options);
    this.issues = list;
  }
}

/** Trying again is pointless: drop, count, answer 400 or INVALID_ARGUMENT. */
export class PermanentError extends Error {
  override readonly name: string = 'PermanentError';
}

/** Keep the data and come again: answer 429/503 or RESOURCE_EXHAUSTED/UNAVAILABLE. */
export class RetryableError extends Error {
  override readonly name = 'RetryableError';
  /** How long the other side asked to wait, ms; 0 where it said nothing. */
  readonly retryAfterMs: number;
  /** `exhausted`: a limit or a full queue (429, RESOURCE_EXHAUSTED); `unavailable`: something does not work right now (503, UNAVAILABLE). */
  readonly reason: 'exhausted' | 'unavailable';
  constructor(message: string, options: ErrorOptions & { retryAfterMs?: number; reason?: 'exhausted' | 'unavailable' } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs ?? 0;
    this.reason = options.reason ?? 'unavailable';
  }
}

/** Bytes that were ours once are damaged: set them aside and go on. */
export class CorruptError extends Error {
  override readonly name = 'CorruptError';
}

/** The message of anything thrown, with the messages of its causes. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error.message || (error as { code?: string }).code || error.name;
  return error.cause === undefined ? text : `${text}: ${errorText(error.cause)}`;
}
