/** Starts the program as a user would, for tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const NODE = join(ROOT, 'node_modules/.bin/node');

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export async function runToEnd(program: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Ended> {
  const child = spawn(program, args, { cwd: options.cwd ?? ROOT, env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] });
  return await outcome(child);
}

/** The program with these arguments; `ready` settles with true when it says that everything runs, with false when it ends before. */
export function startProgram(args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  const child = spawn(NODE, [join(ROOT, 'src/main.ts'), ...args], {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let seen = '';
  const ended = outcome(child);
  const ready = new Promise<boolean>((resolve) => {
    child.stderr!.on('data', (text: Buffer) => {
      seen += text.toString();
      if (seen.includes('Everything is ready.')) resolve(true);
    });
    void ended.then(() => resolve(false));
  });
  return { child, ready, ended };
}

function outcome(child: ChildProcess): Promise<Ended> {
  let stdout = '',
    stderr = '';
  child.stdout!.on('data', (text: Buffer) => void (stdout += text.toString()));
  child.stderr!.on('data', (text: Buffer) => void (stderr += text.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? (signal === null ? 1 : 128), stdout, stderr }));
  });
}
