/** A full garbage collection on demand, which Node hides behind a flag. */
import v8 from 'node:v8';
import vm from 'node:vm';

let collect: ((options: object) => void) | undefined;

/** Collects everything there is to collect, compiled code that is not in use too, now: some 10 ms for a small heap, more for a large one. */
export function collectGarbage(): void {
  if (collect === undefined) {
    v8.setFlagsFromString('--expose-gc');
    collect = vm.runInNewContext('gc') as (options: object) => void;
  }
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
