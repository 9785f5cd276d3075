/** "Did you mean": the known word nearest to an unknown one. */

/** The nearest of `known` where it is near enough to be a typing mistake: a third of the letters, at most 3. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined,
    bestDistance = Math.min(3, Math.ceil(word.length / 3)) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other. */
function editDistance(a: string, b: string): number {
  const width = b.length + 1,
    cells = new Uint16Array((a.length + 1) * width);
  for (let i = 0; i <= a.length; i++) cells[i * width] = i;
  for (let j = 0; j <= b.length; j++) cells[j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let distance = Math.min(cells[(i - 1) * width + j]! + 1, cells[i * width + j - 1]! + 1, cells[(i - 1) * width + j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) distance = Math.min(distance, cells[(i - 2) * width + j - 2]! + 1);
      cells[i * width + j] = distance;
    }
  }
  return cells[cells.length - 1]!;
}
