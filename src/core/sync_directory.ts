import fs from 'node:fs';

/** Waits until the disk has the names in a directory: a file that was made or renamed there is found after a crash of the machine. */
export function syncDirectory(directory: string): void {
  const descriptor = fs.openSync(directory, 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}
