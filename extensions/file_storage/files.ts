/** What LogStore does to files beside reading and appending: moved whole, written in parts, waited for. */
import fs from 'node:fs';
import path from 'node:path';

/** How the name of a file begins that a compaction has not finished. */
export const UNFINISHED = 'penstock-compaction-';
/** As many as the system takes in one call. */
const MAX_PARTS = 512;

/** Files that compactions which were cut off have left in a folder. */
export function removeUnfinished(folder: string): void {
  for (const name of fs.readdirSync(folder)) if (name.startsWith(UNFINISHED)) fs.rmSync(path.join(folder, name), { force: true });
}

export function sync(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => fs.fdatasync(descriptor, (error) => (error ? reject(error) : resolve())));
}

/** Also to another disk, where the copy gets its name when it is whole. */
export async function moveFile(from: string, to: string): Promise<void> {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    const copy = path.join(path.dirname(to), `${UNFINISHED}${process.pid}`);
    await fs.promises.copyFile(from, copy);
    const descriptor = fs.openSync(copy, 'r+');
    try {
      await sync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
    fs.renameSync(copy, to);
    fs.rmSync(from, { force: true });
  }
}

export async function writeParts(descriptor: number, parts: readonly Buffer[], position: number): Promise<void> {
  for (let i = 0, at = position; i < parts.length; i += MAX_PARTS) {
    const slice = parts.slice(i, i + MAX_PARTS),
      size = slice.reduce((sum, part) => sum + part.length, 0);
    const count = await new Promise<number>((resolve, reject) => {
      fs.writev(descriptor, slice, at, (error, n) => (error ? reject(error) : resolve(n)));
    });
    if (count < size) {
      // Rare: a signal or a full disk. The rest in one piece.
      const rest = Buffer.concat(slice).subarray(count);
      for (let done = 0; done < rest.length; ) done += fs.writeSync(descriptor, rest, done, rest.length - done, at + count + done);
    }
    at += size;
  }
}
