/**
 * Which blocks to merge next, as Prometheus plans: overlapping ones first; then, of the ranges 6 h, 18 h, 54 h, the smallest that is full or
 * past. The newest block is left alone, since more may come beside it.
 */
import type { Block } from './block/block.ts';
import { BLOCK_RANGE_MS } from './head/head.ts';

const RANGES_MS = [3, 9, 27].map((factor) => factor * BLOCK_RANGE_MS);

/** Two or more blocks in order of time, or none. `blocks` are in that order. */
export function planMerge(blocks: readonly Block[]): Block[] {
  const overlapping = findOverlapping(blocks);
  if (overlapping.length > 0) return overlapping;
  const older = blocks.slice(0, -1);
  const newestMin = blocks.at(-1)?.meta.minTime ?? 0;
  for (const range of RANGES_MS) {
    for (let i = 0; i < older.length; ) {
      const start = Math.floor(older[i]!.meta.minTime / range) * range;
      const group: Block[] = [];
      let fits = true;
      for (; i < older.length && older[i]!.meta.minTime < start + range; i++) {
        group.push(older[i]!);
        if (older[i]!.meta.maxTime > start + range) fits = false; // From another configuration: larger than the range.
      }
      if (!fits || group.length < 2 || group.some(({ meta }) => meta.compaction.failed)) continue;
      const span = group.at(-1)!.meta.maxTime - group[0]!.meta.minTime;
      if (span === range || group.at(-1)!.meta.maxTime <= newestMin - (newestMin % range)) return group;
    }
  }
  return [];
}

function findOverlapping(blocks: readonly Block[]): Block[] {
  const group: Block[] = [];
  let end = -Infinity;
  for (let i = 0; i < blocks.length; i++) {
    const { minTime, maxTime } = blocks[i]!.meta;
    if (minTime < end) {
      if (group.length === 0) group.push(blocks[i - 1]!);
      group.push(blocks[i]!);
    } else if (group.length > 0) break;
    end = Math.max(end, maxTime);
  }
  return group;
}
