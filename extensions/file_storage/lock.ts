/**
 * Keeps two processes out of one folder: a file with the number of the process that has it. What a killed process left is taken over. Node has
 * no flock, so two that start in the same millisecond on a stale lock are told apart by creating the file exclusively.
 */
import fs from 'node:fs';

const RETRY_MS = 50;
const held = new Set<string>();

/** Resolves to the function that gives the lock back. Rejects where another process keeps it for longer than `timeoutMs`. */
export async function acquireLock(file: string, timeoutMs: number): Promise<() => void> {
  for (const end = Date.now() + timeoutMs; ; await new Promise((resolve) => setTimeout(resolve, RETRY_MS))) {
    try {
      fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
      held.add(file);
      return () => {
        held.delete(file);
        fs.rmSync(file, { force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const owner = readOwner(file);
    if (owner === 'none' || (owner === process.pid && !held.has(file))) fs.rmSync(file, { force: true });
    else if (Date.now() >= end)
      throw new Error(
        `${file}: the storage is in use by ${owner === process.pid ? 'this process' : `process ${owner}`}; give every process and component a storage of its own`,
      );
  }
}

function readOwner(file: string): number | 'none' {
  try {
    const pid = Number(fs.readFileSync(file, 'utf8'));
    if (!Number.isInteger(pid) || pid <= 0) return 'none';
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? Number(fs.readFileSync(file, 'utf8')) : 'none';
  }
}
