/**
 * A lock file with the number and start time of the process that holds it: Node has no flock(2). A lock whose process is gone, or whose
 * number now belongs to another process (a container's process 1 after a restart), is taken over.
 */
import fs from 'node:fs';
import { ConfigError } from '#src/core/errors.ts';

/** Start of a process in clock ticks since boot (field 22 of /proc/PID/stat), "" where it is not running, "?" where there is no /proc. */
function startOf(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '?';
  } catch {
    if (fs.existsSync('/proc/self/stat')) return '';
    try {
      process.kill(pid, 0);
      return '?';
    } catch {
      return '';
    }
  }
}

/** Takes the lock, or throws ConfigError saying who has it. Returns the function that gives it back. */
export function takeLock(file: string): () => void {
  const mine = `${process.pid} ${startOf(process.pid)}\n`;
  for (let attempt = 0; ; attempt++) {
    try {
      fs.writeFileSync(file, mine, { flag: 'wx' });
      return () => fs.rmSync(file, { force: true });
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST' || attempt > 3) throw error;
    }
    const [pid = '', start = ''] = fs.readFileSync(file, 'utf8').trim().split(' ');
    if (pid !== '' && startOf(Number(pid)) === start && start !== '') {
      throw new ConfigError(`${file} is held by process ${pid}: only one process can use a store directory`);
    }
    fs.rmSync(file, { force: true });
  }
}
