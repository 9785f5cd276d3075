import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { labelsKey } from '#src/promql/labels.ts';
import { areDistinct, FLOAT, Matrix, mergeSameLabels } from './matrix.ts';

test('areDistinct() finds a repetition wherever one is', () => {
  const text = fc.constantFrom('a', 'b', 'c');
  const labels = fc.uniqueArray(text, { maxLength: 3 }).chain((names) => fc.tuple(...names.sort().map((name) => text.map((value) => [name, value]))));
  fc.assert(
    fc.property(fc.array(labels, { maxLength: 12 }), (sets) => {
      const flat = sets.map((set) => set.flat());
      assert.equal(areDistinct(flat), new Set(flat.map(labelsKey)).size === flat.length);
    }),
  );
});

test('rows with the same labels become one unless both have a value at a step', () => {
  const make = (second: number): Matrix => {
    const matrix = new Matrix(2, 1);
    matrix.setFloat(matrix.addRow(['a', '1'], false) * 2, 1);
    matrix.addRow(['a', '2'], false);
    matrix.setFloat(matrix.addRow(['a', '1'], false) * 2 + second, 2);
    return matrix;
  };
  const merged = mergeSameLabels(make(1));
  assert.equal(merged.count, 2);
  assert.deepEqual([...merged.values.subarray(0, 2)], [1, 2]);
  assert.deepEqual([...merged.present.subarray(0, 2)], [FLOAT, FLOAT]);
  assert.throws(() => mergeSameLabels(make(0)), /same labelset/);
});
