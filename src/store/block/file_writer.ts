/** Appends to a file through a buffer, knows its position, keeps a running CRC32C where asked, can patch what it wrote. */
import fs from 'node:fs';
import { crc32c } from '#src/wire/crc32c.ts';

const FLUSH_BYTES = 1 << 18;

export class FileWriter {
  readonly #descriptor: number;
  readonly #buffer = new Uint8Array(FLUSH_BYTES);
  #size = 0;
  #flushed = 0;
  #checksum = 0;

  constructor(file: string) {
    this.#descriptor = fs.openSync(file, 'w');
  }

  get position(): number {
    return this.#flushed + this.#size;
  }

  write(bytes: Uint8Array, from = 0, to = bytes.length): void {
    this.#checksum = crc32c(bytes, from, to, this.#checksum);
    while (from < to) {
      if (this.#size === FLUSH_BYTES) this.#flush();
      const part = Math.min(to - from, FLUSH_BYTES - this.#size);
      this.#buffer.set(bytes.subarray(from, from + part), this.#size);
      this.#size += part;
      from += part;
    }
  }

  /** The checksum of write() counts from here. */
  startChecksum(): void {
    this.#checksum = 0;
  }

  get checksum(): number {
    return this.#checksum;
  }

  patch(bytes: Uint8Array, position: number): void {
    this.#flush();
    fs.writeSync(this.#descriptor, bytes, 0, bytes.length, position);
  }

  #flush(): void {
    for (let at = 0; at < this.#size; ) at += fs.writeSync(this.#descriptor, this.#buffer, at, this.#size - at, this.#flushed + at);
    this.#flushed += this.#size;
    this.#size = 0;
  }

  /** Durable when it returns. */
  close(): void {
    try {
      this.#flush();
      fs.fsyncSync(this.#descriptor);
    } finally {
      fs.closeSync(this.#descriptor);
    }
  }

  /** Gives up: closes without writing what is left. */
  abandon(): void {
    fs.closeSync(this.#descriptor);
  }
}
