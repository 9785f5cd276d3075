/** Who holds the bytes when something is offered again: branches, rewriters and the exporter's side of it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Batch, EMPTY_CONTEXT, type PackedUse } from '#src/core/batch.ts';
import type { Consumer } from '#src/core/component.ts';
import { PermanentError, RetryableError } from '#src/core/errors.ts';
import { KEEP, log, RECORD_LEVEL } from '#src/data/contexts.ts';
import { BatchBuilder } from '#src/data/builders.ts';
import { LOG } from '#src/data/message_types.ts';
import { BytesRewriter } from '#src/data/rewrite.ts';
import { Edge, fanOut, RewriteStep } from './steps.ts';

/** One log record of more than `size` bytes in memory of its own. */
function message(severity: string, size: number): Buffer {
  const builder = new BatchBuilder('logs');
  const mark = builder.open();
  builder.writer.text(LOG.severityText, severity);
  builder.any(LOG.body, 'x'.repeat(size));
  builder.close(mark);
  const bytes = builder.finish().parts[0]!;
  const own = Buffer.allocUnsafeSlow(bytes.length);
  own.set(bytes);
  return own;
}
const batchOf = (...parts: Uint8Array[]): Batch => new Batch('logs', parts, parts.length, EMPTY_CONTEXT, true);
/** Changes the records of severity WARN. */
const rewriter = () =>
  new BytesRewriter('logs', [
    {
      level: RECORD_LEVEL,
      reads: 0,
      writes: 0,
      visit: () => {
        if (log.text(LOG.severityText) === 'WARN') log.setText(LOG.severityText, 'changed');
        return KEEP;
      },
    },
  ]);

test('what exporters could do with a compressed body is known in front of the pipeline, unless rewriters change what comes', async () => {
  const exporter = (use: PackedUse): Consumer => ({ consume: async () => {}, packedUse: (coding) => (coding === 'gzip' ? use : 'none') });
  const useOf = (...uses: PackedUse[]): PackedUse => new Edge(fanOut(uses.map((use) => new Edge(exporter(use))))).packedUse('gzip');
  assert.deepEqual([useOf('none'), useOf('none', 'alone'), useOf('joined', 'alone'), useOf('joined', 'none')], ['none', 'alone', 'joined', 'joined']);
  assert.equal(new Edge({ consume: async () => {} }, exporter('joined')).packedUse('gzip'), 'joined', 'past a processor');
  const step = new RewriteStep(rewriter(), exporter('joined'));
  const uses: PackedUse[] = [];
  for (const severity of ['INFO', 'WARN', 'INFO']) {
    await step.consume(batchOf(message(severity, 10)));
    uses.push(step.packedUse('gzip'));
  }
  assert.deepEqual([...uses, step.packedUse('zstd')], ['joined', 'none', 'joined', 'none']);
});

test('a batch that one branch refused reaches only that branch when it is offered again', async () => {
  const taken: string[] = [];
  const failures: Error[] = [new RetryableError('full'), new RetryableError('still full')];
  const fan = fanOut([
    { consume: async () => void taken.push('healthy') },
    {
      consume: async () => {
        const failure = failures.shift();
        if (failure) throw failure;
        taken.push('late');
      },
    },
  ]);
  const batch = batchOf(message('INFO', 10));
  await assert.rejects(fan.consume(batch), /full/);
  await assert.rejects(fan.consume(batch), /still full/);
  await fan.consume(batch);
  assert.deepEqual(taken, ['healthy', 'late']);
  await fan.consume(batchOf(message('INFO', 10)));
  assert.deepEqual(taken, ['healthy', 'late', 'healthy', 'late'], 'another batch goes to all');
});

test('the refusal for good of one branch is told once the others have taken the batch', async () => {
  let isFull = true,
    refused = 0;
  const fan = fanOut([
    {
      consume: async () => {
        refused++;
        throw new PermanentError('never');
      },
    },
    {
      consume: async () => {
        if (isFull) throw new RetryableError('full');
      },
    },
  ]);
  const batch = batchOf(message('INFO', 10));
  await assert.rejects(fan.consume(batch), RetryableError);
  isFull = false;
  await assert.rejects(fan.consume(batch), /never/);
  assert.equal(refused, 1);
});

test('what the next stage refused is rewritten once, and its old bytes are freed when the new ones are taken', async () => {
  const offered: Batch[] = [];
  let isFull = true;
  const step = new RewriteStep(rewriter(), {
    consume: async (batch) => {
      offered.push(batch);
      if (isFull) throw new RetryableError('full');
    },
  });
  const kept = message('INFO', 40_000),
    changed = message('WARN', 40_000);
  const batch = batchOf(kept, changed);
  await assert.rejects(step.consume(batch), /full/);
  assert.ok(changed.length > 0, 'whoever was refused still has its bytes');
  isFull = false;
  await step.consume(batch);
  assert.equal(offered[0], offered[1]);
  assert.deepEqual([kept.length > 0, changed.length], [true, 0]);
  offered[1]!.free();
  assert.equal(kept.length, 0);
});

test('bytes that are lent are not freed behind the back of their owner when a rewriter changes the part beside them', async () => {
  const lent = message('INFO', 40_000);
  let released = 0;
  const batch = new Batch('logs', [lent, message('WARN', 40_000)], 2, EMPTY_CONTEXT, true, { layout: null, release: () => void released++ });
  await new RewriteStep(rewriter(), { consume: async (rewritten) => rewritten.free() }).consume(batch);
  assert.ok(lent.length > 40_000, 'the owner writes into it once more');
  assert.equal(released, 0, 'and is not told that it may, while another batch holds it');
});

test('what a stage would refuse is known in front of the stages that hand on, and of each branch', () => {
  const full = new RetryableError('full');
  const open = { consume: async () => {} };
  const closed = { consume: async () => {}, refusal: () => full };
  const front = (next: Consumer) => new Edge(new RewriteStep(rewriter(), next)).refusal();
  assert.equal(front(closed), full);
  assert.equal(front(open), null);
  assert.equal(front(fanOut([open, closed])), full);
  assert.equal(front(fanOut([open, open])), null);
});
