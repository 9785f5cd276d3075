/**
 * The program: argv to one command of src/cli.
 *
 * It first becomes itself again (execve, the same process id) with what must be set before the engine starts: Maglev off, a compiler tier of V8
 * that has crashed on Node 24 (nodejs/node#64841); a small young generation; one malloc arena, since freed buffers otherwise stay in many; and
 * Node's compile cache (below the user's own cache folder: nobody else may write there), from which our files come without their types, so that
 * the type stripper and its 30 MB are not loaded again. Idle: 119 MB and 670 ms to ready become 88 MB and 235 ms.
 */
import os from 'node:os';
import path from 'node:path';
import v8 from 'node:v8';

const READY = 'PENSTOCK_ENGINE';
/** MB. Batches live in buffers outside the heap; what is young here are promises and short strings. */
const YOUNG_MB = 4;

/** None where the user has no home, as one that a container knows by number only. */
function ownCache(): { NODE_COMPILE_CACHE?: string } {
  try {
    return { NODE_COMPILE_CACHE: path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'penstock', 'compile') };
  } catch {
    return {};
  }
}

if (process.env[READY] === undefined && process.execve !== undefined) {
  const env = {
    ...ownCache(),
    MALLOC_ARENA_MAX: '2',
    // Bodies of requests come and go by the hundred KB: handing their pages back to the system each time costs a sixth of all CPU.
    // What is as large as a slab of the store comes from the system and goes back at once: kept, it cost 10 MB more than it saved page faults.
    MALLOC_TRIM_THRESHOLD_: '8388608',
    MALLOC_MMAP_THRESHOLD_: '1048576',
    ...process.env,
    [READY]: '1',
  };
  process.execve(
    process.execPath,
    [
      process.execPath,
      '--no-maglev',
      '--disable-warning=ExperimentalWarning',
      `--max-semi-space-size=${YOUNG_MB}`,
      ...process.execArgv,
      ...process.argv.slice(1),
    ],
    env,
  );
}
v8.setFlagsFromString('--no-maglev'); // Where there is no execve.
const { runCommandLine } = await import('#src/cli/command_line.ts');
const { catalog } = await import('#src/components.ts');
await runCommandLine(process.argv, catalog);
