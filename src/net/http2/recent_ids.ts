/** The latest stream ids of a kind: each has its place by its number, and gives way to one that comes much later. */
export class RecentIds {
  readonly #mask: number;
  #places: Int32Array | null = null;
  /** Ids that are at most `span` calls apart are remembered side by side; rounded up to a power of two. */
  constructor(span: number) {
    this.#mask = 2 ** Math.ceil(Math.log2(span)) - 1;
  }
  add(id: number): void {
    this.#places ??= new Int32Array(this.#mask + 1);
    this.#places[(id >> 1) & this.#mask] = id;
  }
  has(id: number): boolean {
    return this.#places !== null && this.#places[(id >> 1) & this.#mask] === id;
  }
}
