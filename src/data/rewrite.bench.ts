/**
 * `node --no-maglev src/data/rewrite.bench.ts [traces.bin|logs.bin]`: the `enrich` rules of the load comparison as closures over the cursors, over a
 * request as the load generator makes it (without a file: spans built here). Prints us a record for rewriting, checking and reading.
 */
import fs from 'node:fs';
import { Batch, type Signal } from '#src/core/batch.ts';
import { BatchBuilder } from './builders.ts';
import { checkAndCount } from './check.ts';
import { attributeLiteral } from './cursor.ts';
import { keyId } from './keys.ts';
import { LOG, SPAN, STATUS } from './message_types.ts';
import { BatchReader } from './read.ts';
import { BytesRewriter, DROP, KEEP, log, type Pass, RECORD_LEVEL, RESOURCE_LEVEL, resource, span } from './rewrite.ts';
import { literal } from './space.ts';

const file = process.argv[2];
const signal: Signal = file?.includes('logs') ? 'logs' : 'traces';
const bytes = file === undefined ? made() : fs.readFileSync(file);
const items = checkAndCount(signal, bytes);

function made(): Buffer {
  const builder = new BatchBuilder('traces');
  for (let r = 0; r < 10; r++) {
    builder.resource();
    builder.scope('bench', '1');
    for (let i = 0; i < 100; i++) {
      const record = builder.open();
      const { writer } = builder;
      writer.bytes(SPAN.traceId, Buffer.alloc(16, i + 1));
      writer.bytes(SPAN.spanId, Buffer.alloc(8, i + 1));
      writer.text(SPAN.name, 'GET /api/v1/items');
      writer.int(SPAN.kind, 2);
      writer.fixed64Value(SPAN.startTimeUnixNano, 1700000000000000000n);
      writer.fixed64Value(SPAN.endTimeUnixNano, 1700000000100000000n);
      builder.attribute(SPAN.attributes, 'http.request.method', 'GET');
      builder.attribute(SPAN.attributes, 'url.path', `/api/v1/items/${i}`);
      builder.attribute(SPAN.attributes, 'http.response.status_code', i % 20 === 0 ? 500n : 200n);
      builder.attribute(SPAN.attributes, 'client.address', '10.0.0.1');
      builder.attribute(SPAN.attributes, 'thread.name', `worker-${i % 8}`);
      builder.attribute(SPAN.attributes, 'user_agent.original', 'Mozilla/5.0 (X11; Linux x86_64)');
      builder.close(record);
    }
  }
  return Buffer.from(builder.finish().bytes);
}

// resource: three upserts
const pod = attributeLiteral('k8s.pod.name', 'p-1');
const node = attributeLiteral('k8s.node.name', 'n-1');
const deployment = attributeLiteral('k8s.deployment.name', 'd');
const deploymentId = keyId('k8s.deployment.name');
function visitResource(): number {
  resource.setLiteral(pod);
  resource.setLiteral(node);
  if (resource.row(deploymentId) < 0) resource.setLiteral(deployment);
  return KEEP;
}
// transform and filter
const record = signal === 'logs' ? log : span;
const path = keyId('url.path');
const prefix = literal('/api/v1/items/');
const route = attributeLiteral('http.route', 'item');
const address = keyId('client.address');
const status = keyId('http.response.status_code');
const thread = keyId('thread.name');
const worker = literal('worker-3');
const method = keyId('method');
function first(): number {
  if (record.attributeStartsWith(path, prefix)) record.setLiteral(route);
  return KEEP;
}
function second(): number {
  record.deleteAttribute(address);
  return KEEP;
}
function third(): number {
  if (signal === 'traces') {
    if (record.attributeNumber(status) >= 500) record.setIntIn(SPAN.status, STATUS.code, 2);
  } else if (record.readAnyField(LOG.body) === 1) record.setAttributeSlice(method, record.valueAt, Math.min(7, record.valueSize));
  return KEEP;
}
const fourth = (): number => (record.attributeEquals(thread, worker) ? DROP : KEEP);
const at = (visit: () => number, dropsEmpty = false): Pass => ({ level: RECORD_LEVEL, reads: 0, writes: 0, visit, dropsEmpty });
const one = new BytesRewriter(signal, [{ level: RESOURCE_LEVEL, reads: 0, writes: 0, visit: visitResource }]);
const two = new BytesRewriter(signal, [at(first), at(second), at(third)]);
const three = new BytesRewriter(signal, [at(fourth, true)]);
const fused = one.fuse(two)!.fuse!(three)!;

const batches = Array.from({ length: 8 }, () => new Batch(signal, [Buffer.from(bytes)], items));
let sink = 0;
function timed(name: string, work: (batch: Batch) => number): void {
  const rounds = 2000;
  for (let i = 0; i < rounds / 4; i++) sink += work(batches[i & 7]!);
  const before = process.cpuUsage();
  for (let i = 0; i < rounds; i++) sink += work(batches[i & 7]!);
  const { user, system } = process.cpuUsage(before);
  console.log(`${name.padEnd(36)} ${((user + system) / rounds / items).toFixed(3)} us a record (${items} records, ${bytes.length} bytes)`);
}
timed('check and count', (batch) => checkAndCount(signal, batch.parts[0]!));
timed('rewrite, fused', (batch) => fused.rewrite(batch)!.itemCount);
timed('rewrite, three apart', (batch) => three.rewrite(two.rewrite(one.rewrite(batch)!)!)!.itemCount);
const reader = new BatchReader();
timed('read: scan every record', (batch) => {
  let n = 0;
  for (reader.reset(batch); reader.nextResource(); ) while (reader.nextScope()) while (reader.nextRecord()) n++;
  return n;
});
timed('read: one attribute of every record', (batch) => {
  let n = 0;
  for (reader.reset(batch); reader.nextResource(); ) while (reader.nextScope()) while (reader.nextRecord()) n += reader.record.row(path);
  return n;
});
console.log(sink === 0 ? '' : '');
