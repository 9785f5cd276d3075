/**
 * V8 compiles code on guesses about the whole process and throws the code away when one turns out wrong. Two do as soon as a server works: that no
 * buffer is ever given back (src/core/slab.ts does), and that no typed array has its prototype changed (Node makes a Buffer so, for each read of a
 * socket). They are proved wrong at once, before anything is compiled on them. `--trace-protector-invalidation` shows when a guess falls.
 */
export function dropWrongGuesses(): void {
  new ArrayBuffer(8).transfer(0);
  Object.setPrototypeOf(new Uint8Array(1), Buffer.prototype);
}
