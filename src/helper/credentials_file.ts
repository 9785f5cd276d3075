/**
 * A secret in a file that others replace while we run: read at the start, and again when the file changes. It is looked at once a second, which
 * sees also what is done by renaming and by the symbolic links of Kubernetes volumes. A file that cannot be read, or is empty, leaves the last value.
 */
import { readFile, stat } from 'node:fs/promises';
import type { Clock } from '#src/core/clock.ts';
import { errorText } from '#src/core/errors.ts';
import type { Log } from '#src/core/telemetry.ts';

const LOOK_EVERY_MS = 1000;
const MAX_BYTES = 1 << 20;

export interface CredentialsFileOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Called with each new value, the first included. */
  readonly onChange: (value: string) => void;
}

export class CredentialsFile {
  readonly #options: CredentialsFileOptions;
  #seen = '';
  #looking = false;
  #stop: (() => void) | null = null;

  constructor(options: CredentialsFileOptions) {
    this.#options = options;
  }

  /** Rejects where the file cannot be read or is empty. */
  async start(): Promise<void> {
    const { path, clock } = this.#options;
    try {
      this.#seen = await fingerprint(path);
      await this.#read();
    } catch (error) {
      throw new Error(`failed to read credentials file "${path}"`, { cause: error });
    }
    this.#stop = clock.every(LOOK_EVERY_MS, () => void this.look());
  }
  stop(): void {
    this.#stop?.();
    this.#stop = null;
  }

  /** Reads the file if it has changed. Never rejects. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const { path, log } = this.#options;
    try {
      const seen = await fingerprint(path);
      if (seen !== this.#seen) {
        this.#seen = seen;
        await this.#read();
        log.info('Credentials were read again.', { file: path });
      }
    } catch (error) {
      // Said once for each state of the file.
      if (this.#seen !== '') log.warn('failed to reload credentials file, keeping last value', { file: path, error: errorText(error) });
      this.#seen = '';
    }
    this.#looking = false;
  }
  async #read(): Promise<void> {
    const { path, onChange } = this.#options;
    const value = (await readFile(path, 'utf8')).trim();
    if (value === '') throw new Error(`credentials file "${path}" is empty`);
    onChange(value);
  }
}

async function fingerprint(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  if (size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`);
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}
