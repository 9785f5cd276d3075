import assert from 'node:assert/strict';
import test from 'node:test';
import { snappyEncode } from '#src/wire/snappy.ts';
import { encodeLabels } from './labels.ts';
import { RemoteWriteReader } from './remote_write.ts';
import { dump, field, openTenant, sampleField, temporaryDirectory, varint, writeRequest } from './testing/write_request.ts';

const T = 1_700_000_000_000;
const NOW = T + 1000;

test('requests of the same series in another order, with new ones and without some, come out right', async () => {
  const tenant = openTenant(temporaryDirectory());
  const reader = new RemoteWriteReader(tenant);
  const want = new Map<string, number>();
  for (let round = 0; round < 20; round++) {
    const names = Array.from({ length: 50 + round }, (_, i) => i).filter((i) => (i * 7 + round) % 5 !== 0);
    if (round % 4 === 3) names.reverse();
    const series = names.map((i) => ({ labels: ['__name__', 'm', 'i', String(i)], samples: [[T + round, i * round]] as const }));
    for (const i of names) want.set(`__name__ m i ${i}`, (want.get(`__name__ m i ${i}`) ?? 0) + 1);
    const result = reader.write(snappyEncode(writeRequest(series)), 1 << 20, NOW);
    assert.deepEqual(result, { samples: names.length, exemplars: 0, histograms: 0, rejectedSamples: 0, error: null });
  }
  const all = await dump(tenant);
  assert.deepEqual(new Map([...all].map(([key, samples]) => [key, samples.length]).sort() as [string, number][]), new Map([...want].sort()));
  await tenant.close();
});

test('what can be stored is stored, and the first fault is named', async () => {
  const tenant = openTenant(temporaryDirectory());
  const reader = new RemoteWriteReader(tenant);
  const one = (name: string, ...samples: [number, number][]) => ({ labels: ['__name__', name], samples });
  reader.writePlain(writeRequest([one('a', [T, 1])]), NOW);
  const check = (request: Buffer, message: RegExp, samples: number, rejectedSamples: number): void => {
    const result = reader.writePlain(request, NOW);
    assert.match(result.error?.message ?? '', message);
    assert.deepEqual([result.samples, result.rejectedSamples], [samples, rejectedSamples]);
  };
  check(writeRequest([one('a', [T - 1, 1]), one('b', [T, 1])]), /^out of order sample; series {__name__="a"}, timestamp 1699999999999$/, 1, 1);
  check(
    writeRequest([one('a', [T, 5]), one('b', [T + 1, 1])]),
    /duplicate sample for timestamp 1700000000000; overrides not allowed: existing 1, new value 5/,
    1,
    1,
  );
  check(writeRequest([one('a', [NOW + 700_000, 5]), one('b', [T + 2, 1])]), /too far in the future/, 1, 1);
  check(
    Buffer.concat([field(10, Buffer.concat([encodeLabels(['job', 'x']), sampleField([T, 1])])), writeRequest([one('b', [T + 3, 1])])]),
    /missing metric name/,
    1,
    1,
  );
  await tenant.close();
});

test('samples before labels, zeros left out and unknown fields are read', async () => {
  const tenant = openTenant(temporaryDirectory());
  const reader = new RemoteWriteReader(tenant);
  const labels = encodeLabels(['__name__', 'm']);
  reader.writePlain(field(10, Buffer.concat([sampleField([T, 1.5]), labels])), NOW);
  reader.writePlain(field(10, Buffer.concat([labels, field(18, Buffer.concat([Buffer.from([16]), varint(T + 1)])), field(0x7a, Buffer.from('?'))])), NOW);
  assert.deepEqual((await dump(tenant)).get('__name__ m'), [
    [T, 0, 0x3ff80000],
    [T + 1, 0, 0],
  ]);
  await tenant.close();
});

test('a request cut at any byte is refused or read in part, never worse', async () => {
  const tenant = openTenant(temporaryDirectory());
  const reader = new RemoteWriteReader(tenant);
  const exemplar = field(26, Buffer.concat([encodeLabels(['trace_id', 'x']), Buffer.from([17, 0, 0, 0, 0, 0, 0, 0, 0, 24]), varint(T)]));
  const metadata = field(26, Buffer.concat([Buffer.from([8, 1]), field(18, Buffer.from('m')), field(34, Buffer.from('help'))]));
  const whole = Buffer.concat([field(10, Buffer.concat([encodeLabels(['__name__', 'm', 'a', 'b']), sampleField([T, 1]), exemplar])), metadata]);
  for (let size = 0; size < whole.length; size++) {
    try {
      reader.writePlain(whole.subarray(0, size), NOW);
    } catch (error) {
      assert.equal((error as Error).name, 'PermanentError', `cut at ${size}: ${(error as Error).stack}`);
    }
  }
  assert.deepEqual(reader.writePlain(whole, NOW), { samples: 1, exemplars: 1, histograms: 0, rejectedSamples: 0, error: null });
  assert.equal(tenant.metadataOf('m').get('m')?.type, 'counter');
  assert.throws(() => reader.write(Buffer.from([0xff, 0xff, 0xff, 0x7f, 0]), 1 << 20, NOW), /above the limit/);
  await tenant.close();
});

test('version 2.0 is read with its symbols, metadata and exemplars', async () => {
  const tenant = openTenant(temporaryDirectory());
  const reader = new RemoteWriteReader(tenant);
  const symbols = ['', '__name__', 'm', 'job', 'node', 'trace_id', 'x', 'help', 's'].map((text) => field(34, Buffer.from(text)));
  const series = field(
    42,
    Buffer.concat([
      field(10, Buffer.from([1, 2, 3, 4])),
      sampleField([T, 2]),
      field(34, Buffer.concat([field(10, Buffer.from([5, 6])), Buffer.from([17, 0, 0, 0, 0, 0, 0, 0, 0, 24]), varint(T)])),
      field(42, Buffer.from([8, 1, 24, 7, 32, 8])),
    ]),
  );
  assert.deepEqual(reader.writePlain(Buffer.concat([...symbols, series]), NOW, 2), {
    samples: 1,
    exemplars: 1,
    histograms: 0,
    rejectedSamples: 0,
    error: null,
  });
  assert.deepEqual(await dump(tenant), new Map([['__name__ m job node', [[T, 0, 0x40000000]]]]));
  assert.deepEqual(tenant.metadataOf('m').get('m'), { type: 'counter', help: 'help', unit: 's' });
  assert.throws(() => reader.writePlain(Buffer.concat([field(34, Buffer.alloc(0)), series]), NOW, 2), /symbol 1 of 1/);
  await tenant.close();
});
