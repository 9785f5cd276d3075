/**
 * The first start after an installation or an update finds no compiled code in the cache, so Node takes the types out of every file: the stripper
 * and what it leaves behind stay in memory, 40 MB of it, for as long as the process runs. Once all code is loaded and in the cache, the program
 * therefore becomes itself again (execve, the same process id), from the cache; at most once, and before anything listens or is written.
 */
import module from 'node:module';

const READY = 'PENSTOCK_ENGINE';
const AGAIN = '2';
const STRIPPER = 'NativeModule internal/deps/amaro/dist/index';

export function startAgainFromCache(): void {
  const { moduleLoadList } = process as unknown as { readonly moduleLoadList?: readonly string[] };
  // Without main.ts in front (READY), as in tests, there are no arguments of the engine to start again with.
  if (process.execve === undefined || process.env[READY] === undefined || process.env[READY] === AGAIN || moduleLoadList?.includes(STRIPPER) !== true) return;
  if (module.getCompileCacheDir() === undefined) return;
  module.flushCompileCache();
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], { ...process.env, [READY]: AGAIN });
}
