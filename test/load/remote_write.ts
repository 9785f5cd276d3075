/** Remote write 1.0, one request after the other: node remote_write.ts URL REQUESTS SERIES. Samples are 15 s apart and end now. The last line tells the outcome. */
import { Agent, request } from 'node:http';
import { writeRequest } from '#src/store/testing/write_request.ts';
import { snappyEncode } from '#src/wire/snappy.ts';

const [url, requests, series] = [new URL(process.argv[2]!), Number(process.argv[3]), Number(process.argv[4])];
const labels = Array.from({ length: series }, (_, i) => [
  ...['__name__', `http_requests_total_${i % 50}`, 'instance', `10.0.0.${i % 200}:9100`, 'job', 'node'],
  ...['method', i & 1 ? 'POST' : 'GET', 'path', `/api/v1/items/${i}`, 'pod', `web-${i % 100}-abcdef`],
]);
const startMs = Date.now() - requests * 15_000;
const bodies = Array.from({ length: requests }, (_, k) =>
  snappyEncode(writeRequest(labels.map((list, i) => ({ labels: list, samples: [[startMs + k * 15_000, k * 3 + i] as const] })))),
);
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const headers = { 'Content-Encoding': 'snappy', 'Content-Type': 'application/x-protobuf', 'X-Prometheus-Remote-Write-Version': '0.1.0' };
let ok = 0,
  failed = 0,
  reason = '';
for (const body of bodies) {
  try {
    const status = await new Promise<number>((resolve, reject) => {
      const sent = request(url, { method: 'POST', agent, headers }, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode!));
      });
      sent.on('error', reject);
      sent.end(body);
    });
    if (status >= 300) throw new Error(`status ${status}`);
    ok++;
  } catch (error) {
    failed++;
    reason = String(error);
  }
}
console.log(JSON.stringify({ ok, failed, bytes: bodies[0]!.length, reason }));
process.exit(0);
