import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY_CONTEXT } from '#src/core/batch.ts';
import { PermanentError } from '#src/core/errors.ts';
import { RecordedTelemetry } from '#src/core/testing/context.ts';
import { Intake } from './intake.ts';

test('bytes that are not OTLP are refused and counted, and reach nobody', () => {
  const telemetry = new RecordedTelemetry(),
    intake = new Intake('traces', { consume: () => assert.fail('must not be reached') }, telemetry, 'otlp', 'grpc');
  assert.throws(() => intake.take(Buffer.from([0x0a, 0x7f, 1]), EMPTY_CONTEXT), PermanentError);
  assert.equal(telemetry.counts.get('receiver_malformed_requests'), 1);
});
