/** /api/v1/write and its names in Cortex: remote write 1.0 and 2.0. The answer comes when the samples are in the log. */
import { PermanentError, RetryableError } from '#src/core/errors.ts';
import type { HttpReply, HttpRequest } from '#src/net/http_server.ts';
import { RemoteWriteReader, type WriteResult } from '#src/store/remote_write.ts';
import type { StoreExtension } from '#src/store/store.ts';
import type { Tenant } from '#src/store/tenant.ts';
import { writeTenant } from './tenants.ts';

const V2 = 'io.prometheus.write.v2.Request';

/** The version of the message, or why it is not taken. */
function messageVersion(request: HttpRequest): 1 | 2 | string {
  const header = request.headers['content-type'] ?? '';
  if (header === '') return 1;
  const [type, ...params] = header.split(';').map((part) => part.trim());
  if (type!.toLowerCase() !== 'application/x-protobuf') return `expected application/x-protobuf as the first (media) part, got ${header} content-type`;
  const proto = params.find((param) => param.startsWith('proto='))?.slice('proto='.length);
  if (proto === undefined || proto === 'prometheus.WriteRequest') return 1;
  return proto === V2 ? 2 : `got ${header} content type; unknown remote write protobuf message ${proto}, supported: [prometheus.WriteRequest, ${V2}]`;
}

export class RemoteWriteHandler {
  readonly #store: () => StoreExtension;
  readonly #nowMs: () => number;
  readonly #maxBytes: number;
  readonly #readers = new WeakMap<Tenant, RemoteWriteReader>();
  constructor(store: () => StoreExtension, nowMs: () => number, maxBytes: number) {
    this.#store = store;
    this.#nowMs = nowMs;
    this.#maxBytes = maxBytes;
  }

  readonly write = async (request: HttpRequest): Promise<HttpReply> => {
    const version = messageVersion(request);
    if (typeof version === 'string') return plain(415, version);
    const coding = String(request.headers['content-encoding'] ?? '').toLowerCase();
    if (coding !== '' && coding !== 'snappy') return plain(415, `${coding} encoding (compression) is not accepted by this server; only snappy is acceptable`);
    const tenant = writeTenant(request, this.#store());
    let reader = this.#readers.get(tenant);
    if (reader === undefined) this.#readers.set(tenant, (reader = new RemoteWriteReader(tenant)));
    const body = await request.rawBody();
    let result: WriteResult;
    try {
      result = reader.write(body, this.#maxBytes, this.#nowMs(), version);
      await tenant.commit();
    } catch (error) {
      if (error instanceof RetryableError) return plain(503, error.message);
      if (error instanceof PermanentError) return plain(400, error.message);
      throw error;
    }
    // Written is written, also where something else in the request was refused: 2.0 senders are told how much.
    const headers: Record<string, string> =
      version === 1
        ? {}
        : {
            'X-Prometheus-Remote-Write-Samples-Written': String(result.samples),
            'X-Prometheus-Remote-Write-Histograms-Written': String(result.histograms),
            'X-Prometheus-Remote-Write-Exemplars-Written': String(result.exemplars),
          };
    if (result.error !== null) return { ...plain(400, result.error.message), headers: { 'Content-Type': 'text/plain; charset=utf-8', ...headers } };
    return { status: 204, headers };
  };
}

function plain(status: number, message: string): HttpReply {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: `${message}\n` };
}
