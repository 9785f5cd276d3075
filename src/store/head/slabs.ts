/**
 * Memory of the head in slabs of 1 MiB that are added one by one: it grows without a ceiling, nothing is copied to grow, and a page that
 * was never written costs nothing. An address is a word number over all slabs; a block never straddles two.
 */
const SLAB_SHIFT = 18;
export const SLAB_WORDS = 1 << SLAB_SHIFT;
const SLAB_MASK = SLAB_WORDS - 1;
/** Words behind a slab that decoding may read beyond a chunk. */
const SLACK = 4;

/** Blocks of 2^n words with free lists by n: the open chunks. Blocks come zeroed. Address 0 is never given out. */
export class BlockSlabs {
  readonly slabs: Int32Array[] = [];
  #used = 1;
  readonly #free = new Int32Array(SLAB_SHIFT + 1);

  allocate(words: number): number {
    const size = 32 - Math.clz32(words - 1);
    const reused = this.#free[size]!;
    if (reused !== 0) {
      const slab = this.slabs[reused >>> SLAB_SHIFT]!;
      const at = reused & SLAB_MASK;
      this.#free[size] = slab[at]!;
      slab.fill(0, at, at + words);
      return reused;
    }
    const room = this.#used & SLAB_MASK;
    if (room === 0 || room + words > SLAB_WORDS || this.slabs.length === 0) {
      if (room !== 0 && this.slabs.length > 0) this.#used = (this.#used | SLAB_MASK) + 1;
      this.slabs.push(new Int32Array(SLAB_WORDS + SLACK));
    }
    const at = this.#used;
    this.#used += words;
    return at;
  }

  release(address: number, words: number): void {
    const size = 32 - Math.clz32(words - 1);
    this.slabs[address >>> SLAB_SHIFT]![address & SLAB_MASK] = this.#free[size]!;
    this.#free[size] = address;
  }
}

/** Runs of words one behind the other: full chunks and label sets. Freed all at once, by copying what lives into new slabs. */
export class LogSlabs {
  readonly slabs: Int32Array[] = [];
  readonly views: DataView[] = [];
  readonly bytes: Uint8Array[] = [];
  #used = 1;

  get usedWords(): number {
    return this.#used;
  }

  allocate(words: number): number {
    if (words >= SLAB_WORDS) throw new RangeError(`a run of ${words} words does not fit into a slab`);
    const room = this.#used & SLAB_MASK;
    if (this.slabs.length === 0) this.#add(SLAB_WORDS);
    else if (room === 0 || room + words > SLAB_WORDS) {
      if (room !== 0) this.#used = (this.#used | SLAB_MASK) + 1;
      this.#add(SLAB_WORDS);
    }
    const at = this.#used;
    this.#used += words;
    return at;
  }

  #add(words: number): void {
    const slab = new Int32Array(words + SLACK);
    this.slabs.push(slab);
    this.views.push(new DataView(slab.buffer));
    this.bytes.push(new Uint8Array(slab.buffer));
  }
}

export const slabOf = (address: number): number => address >>> SLAB_SHIFT;
export const wordIn = (address: number): number => address & SLAB_MASK;
export const byteIn = (address: number): number => (address & SLAB_MASK) << 2;
