/**
 * What an end-to-end test starts: a folder of its own, the program as a user starts it, other programs beside it, ports. One close() ends and removes
 * everything, by process id, also after a failure.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { closedPort } from '#src/core/testing/ports.ts';
import { NODE, ROOT } from './run_collector.ts';

const READY = 'Everything is ready.';

export interface Running {
  readonly child: ChildProcess;
  /** What it wrote so far, to both outputs. */
  text(): string;
  /** Sends the signal and waits for the end; the exit code, or the signal's name. */
  stop(signal?: NodeJS.Signals): Promise<number | string>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export class Stage {
  readonly folder = mkdtempSync(join(tmpdir(), 'penstock-stage-'));
  readonly #running = new Set<Running>();

  constructor(t: { after(work: () => Promise<void>): void }) {
    t.after(async () => {
      await Promise.all([...this.#running].map((one) => one.stop('SIGKILL')));
      rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
    });
  }

  port(): Promise<number> {
    return closedPort();
  }

  file(name: string, text: string | Uint8Array): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** `node src/main.ts --config FILE`, once it says that everything is ready. */
  async penstock(
    config: string,
    options: { readonly name?: string; readonly args?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {},
  ): Promise<Running> {
    const file = this.file(options.name ?? 'penstock.yaml', config);
    const program = this.start(NODE, [join(ROOT, 'src/main.ts'), '--config', file, ...(options.args ?? [])], options.env);
    await until(`"${READY}"`, () => program.text().includes(READY), { program });
    return program;
  }

  /** Any program, from the folder. */
  start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
    const child = spawn(command, args, { cwd: this.folder, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => void (text += chunk.toString()));
    const ended = new Promise<number | string>((resolve) => {
      child.on('error', (error) => {
        text += `${command} cannot be started: ${error.message}\n`;
        resolve(127);
      });
      child.on('close', (code, signal) => resolve(code ?? signal ?? 1));
    });
    const running: Running = {
      child,
      text: () => text,
      stop: async (signal = 'SIGTERM') => {
        this.#running.delete(running);
        if (child.exitCode === null && child.signalCode === null) child.kill(signal);
        return await ended;
      },
    };
    this.#running.add(running);
    return running;
  }
}

/** Asks again and again until the answer is neither false, undefined nor an error; fails with the last error, or as soon as the program has ended. */
export async function until<Value>(
  what: string,
  ask: () => Value | Promise<Value>,
  options: { readonly ms?: number; readonly program?: Running } = {},
): Promise<Exclude<Value, false | undefined>> {
  const { ms = 30_000, program } = options;
  let last: unknown;
  for (const end = Date.now() + ms; Date.now() < end; await sleep(25)) {
    try {
      const value = await ask();
      if (value !== false && value !== undefined) return value as Exclude<Value, false | undefined>;
    } catch (error) {
      last = error;
    }
    const child = program?.child;
    if (child !== undefined && (child.exitCode !== null || child.pid === undefined)) break;
  }
  throw new Error(
    `waited for ${what} in vain${last === undefined ? '' : `: ${String(last)}`}${program === undefined ? '' : `\n${program.text().slice(-4000)}`}`,
    { cause: last },
  );
}

/** One HTTP request on a connection of its own. */
export function http(
  url: string,
  options: { readonly method?: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: Uint8Array | string } = {},
): Promise<Answer> {
  const { body, headers = {}, method = body === undefined ? 'GET' : 'POST' } = options;
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => void chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

export interface QueryResult {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
}

/** The result of /api/v1/query or another path below /api/v1; throws what the server says is wrong. */
export async function api<Data = { readonly resultType: string; readonly result: QueryResult[] }>(
  base: string,
  path: string,
  parameters: Readonly<Record<string, string | number>> = {},
): Promise<Data> {
  const search = new URLSearchParams(Object.fromEntries(Object.entries(parameters).map(([key, value]) => [key, String(value)])));
  const answer = await http(`${base}/api/v1/${path}?${search}`);
  const text = answer.body.toString();
  if (answer.status !== 200) throw new Error(`${path} ${search}: ${answer.status} ${text.slice(0, 500)}`);
  return (JSON.parse(text) as { data: Data }).data;
}

export async function query(base: string, expression: string, parameters: Readonly<Record<string, string | number>> = {}): Promise<QueryResult[]> {
  return (await api(base, 'query', { query: expression, ...parameters })).result;
}
