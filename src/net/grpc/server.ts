/**
 * gRPC server for unary methods, on the own HTTP/2 connections: listening (TCP, TLS, unix), routes, what gRPC asks of headers, request
 * compression, statuses, and the limits that all connections share. A method is given the bytes of its message and answers with bytes;
 * protobuf is not known here. Streaming calls are deliberately absent: no receiver of ours has them.
 */
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Server as TlsServer } from 'node:tls';
import type { Log, Telemetry } from '#src/core/telemetry.ts';
import { type AuthAttributes, type HeaderSource, type ServerAuthenticator, serverAuthenticator, UnauthenticatedError } from '#src/core/auth.ts';
import type { Packed, PackedCoding, PackedUse } from '#src/core/batch.ts';
import type { Clock } from '#src/core/clock.ts';
import type { Host } from '#src/core/component.ts';
import { errorText, type RetryableError } from '#src/core/errors.ts';
import { type ServerMiddleware, serverMiddlewares } from '#src/core/middleware.ts';
import { Admission } from '#src/net/admission.ts';
import { isPackedCoding } from '#src/net/compressed/packed.ts';
import { type ContentCoding, type DecodedBody, decodeOwned, isGrpcCoding, TooLargeError } from '#src/net/compression.ts';
import type { GrpcServerConfig } from '#src/net/config.ts';
import { findField } from '#src/net/http2/header_rules.ts';
import type { HeaderFields } from '#src/net/http2/hpack.ts';
import { HANDSHAKE_TIMEOUT_MS, limitHandshakes } from '#src/net/handshakes.ts';
import { Answer } from '#src/net/http2/answer.ts';
import { messagePrefix } from '#src/net/http2/message.ts';
import type { CallFault, CallPlan, ServerCall, Service } from '#src/net/http2/server_call.ts';
import { ServerConnections } from '#src/net/http2/server_connections.ts';
import { limitHits } from '#src/net/limit_hits.ts';
import { listenOn, removeStaleSocket } from '#src/net/listen.ts';
import { reloadServerTls, serverTlsOptions } from '#src/net/tls.ts';
import {
  DEADLINE_EXCEEDED,
  encodeMessage,
  encodeStatus,
  INTERNAL,
  RESOURCE_EXHAUSTED,
  type Status,
  statusOfError,
  UNAUTHENTICATED,
  UNIMPLEMENTED,
} from './status.ts';

/** Handles one message. Undefined means an empty answer, at once; a promise, when it settles. Errors become statuses. */
export type UnaryMethod = (
  message: Buffer,
  call: CallInfo,
  peerAddress: string,
  auth: AuthAttributes | undefined,
  packed: Packed | null,
) => Promise<void> | undefined;
/** The same object for calls of one connection with the same headers. */
export interface CallInfo {
  /** Headers of the call, lower case, with :authority and without what is gRPC's own matter; made when asked for. */
  metadata(): ReadonlyMap<string, readonly string[]>;
  /** What the method keeps of these headers for the next call with them. */
  memo: object | null;
}

export interface GrpcServerOptions {
  readonly settings: GrpcServerConfig;
  /** By path: "/package.Service/Method". */
  readonly methods: ReadonlyMap<string, UnaryMethod>;
  /** What a method could do with the compressed form of its messages; nothing where absent. */
  readonly packedUse?: (path: string, coding: PackedCoding) => PackedUse;
  /** Why a method would take no message just now; asked for each call before it is read. */
  readonly refusal?: (path: string) => RetryableError | null;
  /** Hears of each call that was refused unread. */
  readonly refused?: (path: string) => void;
  /** What all servers of a receiver let in together; one of its own where absent. */
  readonly admission?: Admission;
  readonly log: Log;
  readonly clock: Clock;
  /** Counts refusals by limit where given. */
  readonly telemetry?: Telemetry;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly reusePort?: boolean;
  /** Where `auth` finds its extension. */
  readonly host?: Pick<Host, 'extension'>;
  /** For how long a client may leave the server waiting in the middle of a call; 30 s by default. */
  readonly stallMs?: number;
}

interface GrpcPlan extends CallPlan {
  readonly method: UnaryMethod;
  readonly path: string;
  readonly coding: ContentCoding | null;
  readonly info: CallInfo;
  readonly headers: HeaderSource;
}

const DEFAULT_MAX_MESSAGE = 4 * 1024 * 1024;
const DEFAULT_MAX_STREAMS = 1000;
const MAX_CONNECTIONS = 10_000;

const STALL_MS = 30_000;

const GRPC = ['content-type', 'application/grpc'] as const;
const SUCCESS = Answer.of([':status', '200', ...GRPC], messagePrefix(0, false), ['grpc-status', '0']);

/** A status as an answer of its own. */
export function statusAnswer(status: Status): Answer {
  const fields = [':status', '200', ...GRPC, 'grpc-status', String(status.code)];
  if (status.message !== '') fields.push('grpc-message', encodeMessage(status.message));
  if (status.retryAfterMs >= 0) fields.push('grpc-status-details-bin', encodeStatus(status).toString('base64').replace(/=+$/, ''));
  return Answer.of(fields);
}
const plain = (code: number, message: string, extra: HeaderFields = []): Answer =>
  Answer.of([':status', '200', ...GRPC, 'grpc-status', String(code), 'grpc-message', encodeMessage(message), ...extra]);
const httpAnswer = (status: number, message: string): Answer =>
  Answer.of([':status', String(status), ...GRPC, 'grpc-status', String(INTERNAL), 'grpc-message', encodeMessage(message)]);

/** For what is not gRPC: a body that a person at a browser or curl can read. */
const foreignAnswer = (message: string): Answer => {
  const body = Buffer.from(`${message}\n`);
  return Answer.of([':status', '415', 'content-type', 'text/plain; charset=utf-8', 'content-length', String(body.length)], body);
};

export class GrpcServer implements Service<GrpcPlan> {
  readonly #options: GrpcServerOptions;
  readonly #server: Server;
  readonly isBare = false;
  readonly #admission: Admission;
  readonly #connections: ServerConnections<GrpcPlan>;
  readonly #maxMessageBytes: number;
  /** Something went against a limit. */
  readonly #hit: (limit: string) => void;
  #middlewares: readonly ServerMiddleware[] = [];
  /** The last refusal of a call unread, and how it is answered. */
  #lastRefusal: RetryableError | null = null;
  #lastAnswer: Answer | null = null;
  #auth: ServerAuthenticator | null = null;
  #listening = false;
  #stopReload = (): void => {};

  constructor(options: GrpcServerOptions) {
    const { settings, telemetry, log } = options;
    this.#options = options;
    this.#maxMessageBytes = settings.max_recv_msg_size_mib > 0 ? Math.min(settings.max_recv_msg_size_mib * 1024 * 1024, 0x7fff0000) : DEFAULT_MAX_MESSAGE;
    const server = settings.keepalive.server_parameters;
    const policy = settings.keepalive.enforcement_policy;
    const refused = telemetry?.counter('grpc_server_limit_hits', '{hit}', 'Number of times a client met a limit of the gRPC server, by limit.');
    this.#hit = limitHits(refused, options.attributes);
    this.#admission = options.admission ?? new Admission();
    const limits = {
      maxStreams: settings.max_concurrent_streams || DEFAULT_MAX_STREAMS,
      maxMessageBytes: this.#maxMessageBytes,
      maxIdleMs: server.max_connection_idle,
      maxAgeMs: server.max_connection_age,
      ageGraceMs: server.max_connection_age_grace,
      pingAfterMs: server.time || 7_200_000,
      pingTimeoutMs: server.timeout || 20_000,
      minPingMs: policy.min_time || 300_000,
      pingsWithoutCalls: policy.permit_without_stream,
      stallMs: options.stallMs ?? STALL_MS,
      maxUnsentBytes: settings.write_buffer_size || 1 << 20,
      admission: this.#admission,
      refused: this.#hit,
    };
    this.#connections = new ServerConnections(this, limits, options.clock);
    const accept = (socket: Socket): void => this.#accept(socket);
    if (settings.tls) {
      const tlsServer = createTlsServer(
        { ...serverTlsOptions(settings.tls), ALPNProtocols: ['h2'], handshakeTimeout: HANDSHAKE_TIMEOUT_MS, noDelay: true },
        accept,
      );
      limitHandshakes(tlsServer, () => this.#hit('tls_handshakes'));
      tlsServer.on('tlsClientError', (error) => log.debug('A TLS handshake failed.', { error: errorText(error) }));
      this.#stopReload = reloadServerTls(tlsServer as TlsServer, settings.tls, (error) =>
        log.warn('The certificate could not be read again; the old one stays.', { error: errorText(error) }),
      );
      this.#server = tlsServer;
    } else this.#server = createServer({ noDelay: true }, accept);
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('drop', () => this.#hit('connections'));
  }

  async listen(): Promise<void> {
    const { settings, log, reusePort, host } = this.#options;
    if (settings.auth) this.#auth = serverAuthenticator(settings.auth, host);
    this.#middlewares = serverMiddlewares(settings.middlewares, host);
    if (settings.transport === 'unix') await removeStaleSocket(settings.endpoint);
    await listenOn(this.#server, settings, reusePort ?? false);
    this.#listening = true;
    this.#server.on('error', (error) => log.error('The gRPC server failed.', { error: errorText(error) }));
    log.info('Starting GRPC server', { endpoint: this.address });
  }
  /** "host:port" as bound; the path of a unix socket. */
  get address(): string {
    const at = this.#server.address() as AddressInfo | string | null;
    if (at === null || typeof at === 'string') return at ?? '';
    return at.family === 'IPv6' ? `[${at.address}]:${at.port}` : `${at.address}:${at.port}`;
  }
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Takes no new connections and calls, waits for those under way for at most `graceMs`. */
  async close(graceMs = 5000): Promise<void> {
    this.#stopReload();
    const closed = this.#listening ? new Promise<void>((done) => this.#server.close(() => done())) : undefined;
    this.#listening = false;
    await this.#connections.drain(graceMs);
    await closed;
  }

  #accept(socket: Socket): void {
    if (this.#listening) this.#connections.add(socket);
    else socket.destroy();
  }

  // ---- calls
  plan(fields: HeaderFields): GrpcPlan {
    const path = findField(fields, ':path') ?? '';
    const method = this.#options.methods.get(path);
    const encoding = findField(fields, 'grpc-encoding') ?? 'identity';
    const coding = isGrpcCoding(encoding) ? encoding : null;
    const timeout = findField(fields, 'grpc-timeout');
    const timeoutMs = timeout === undefined ? 0 : parseTimeout(timeout);
    const length = findField(fields, 'content-length');
    return {
      // What is no gRPC at all may be a probe that goes on in its own way; it is read to its end before it is told.
      patient: !isGrpc(fields),
      contentLength: length === undefined ? -1 : /^\d{1,15}$/.test(length) ? Number(length) : Number.MAX_SAFE_INTEGER,
      method: method ?? (() => undefined),
      path,
      coding,
      limitBytes: this.#maxMessageBytes,
      timeoutMs: timeoutMs ?? 0,
      info: { metadata: () => metadataOf(fields), memo: null },
      headers: (name) => firstField(fields, name),
      refusal: this.#refusal(fields, path, method !== undefined, encoding, coding, timeoutMs === undefined ? timeout : undefined),
    };
  }
  #refusal(fields: HeaderFields, path: string, known: boolean, encoding: string, coding: ContentCoding | null, badTimeout: string | undefined): Answer | null {
    const verb = findField(fields, ':method');
    const type = findField(fields, 'content-type') ?? '';
    if (!isGrpc(fields)) return foreignAnswer(`invalid gRPC request content-type "${type}"`);
    if (verb !== 'POST') return httpAnswer(405, `Received a HEADERS frame with :method "${verb}" which should be POST`);
    if (badTimeout !== undefined) return plain(INTERNAL, `malformed grpc-timeout: "${badTimeout}"`);
    if (!known) return plain(UNIMPLEMENTED, this.#unknownPath(path));
    if (encoding !== 'identity' && coding === null)
      return plain(UNIMPLEMENTED, `grpc: Decompressor is not installed for grpc-encoding "${encoding}"`, ['grpc-accept-encoding', 'gzip,zstd,snappy,deflate']);
    return null;
  }
  #unknownPath(path: string): string {
    const [, service, method] = /^\/(.*)\/([^/]*)$/.exec(path) ?? [];
    if (service === undefined) return `malformed method name: "${path}"`;
    const hasService = [...this.#options.methods.keys()].some((known) => known.startsWith(`/${service}/`));
    return hasService ? `unknown method ${method} for service ${service}` : `unknown service ${service}`;
  }

  refuse(plan: GrpcPlan): Answer | null {
    const refusal = this.#refusalNow(plan);
    if (refusal === null) return null;
    this.#options.refused?.(plan.path);
    if (refusal !== this.#lastRefusal) {
      this.#lastRefusal = refusal;
      this.#lastAnswer = statusAnswer(statusOfError(refusal));
    }
    return this.#lastAnswer;
  }
  #refusalNow(plan: GrpcPlan): RetryableError | null {
    for (const middleware of this.#middlewares) {
      const refusal = middleware.requestRefusal();
      if (refusal !== null) return this.#limited('middleware', refusal);
    }
    const refusal = this.#options.refusal?.(plan.path) ?? null;
    if (refusal !== null) return this.#limited('pipeline', refusal);
    const full = this.#admission.refusal(plan.timeoutMs);
    return full === null ? null : this.#limited('admission', full);
  }
  #limited(limit: string, refusal: RetryableError): RetryableError {
    this.#hit(limit);
    return refusal;
  }

  run(call: ServerCall<GrpcPlan>): void {
    if (this.#auth === null) return this.#decode(call, undefined);
    // Each call is asked about, also where the headers are those of the call before: credentials change.
    let sender: AuthAttributes | undefined | Promise<AuthAttributes | undefined>;
    try {
      sender = this.#auth.authenticate(call.plan.headers);
    } catch (error) {
      return this.#refuse(call, error);
    }
    if (sender instanceof Promise)
      sender.then(
        (known) => this.#decode(call, known),
        (error) => this.#refuse(call, error),
      );
    else this.#decode(call, sender);
  }
  #refuse(call: ServerCall<GrpcPlan>, error: unknown): void {
    if (error instanceof UnauthenticatedError) call.answer(plain(UNAUTHENTICATED, error.message));
    else this.#fail(call, error);
  }
  #decode(call: ServerCall<GrpcPlan>, sender: AuthAttributes | undefined): void {
    const { plan } = call;
    if (!call.compressed) return this.#call(call, call.message!, sender, null);
    if (plan.coding === null) return call.answer(plain(INTERNAL, 'grpc: compressed flag set with identity or empty encoding'));
    const use = isPackedCoding(plan.coding) ? (this.#options.packedUse?.(plan.path, plan.coding) ?? 'none') : 'none';
    let body: DecodedBody | Promise<DecodedBody>;
    try {
      body = decodeOwned(call.message!, plan.coding, plan.limitBytes, use);
    } catch (error) {
      return this.#fail(call, error);
    }
    if (body instanceof Promise)
      body.then(
        ({ plain: bytes, packed }) => this.#call(call, bytes, sender, packed),
        (error) => this.#fail(call, error),
      );
    else this.#call(call, body.plain, sender, body.packed);
  }
  #call(call: ServerCall<GrpcPlan>, message: Buffer, sender: AuthAttributes | undefined, packed: Packed | null): void {
    call.hold(message.length);
    let work: Promise<void> | undefined;
    try {
      work = call.plan.method(message, call.plan.info, call.peerAddress, sender, packed);
    } catch (error) {
      return this.#fail(call, error);
    }
    if (work === undefined) call.answer(SUCCESS);
    else
      work.then(
        () => call.answer(SUCCESS),
        (error) => this.#fail(call, error),
      );
  }
  #fail(call: ServerCall<GrpcPlan>, error: unknown): void {
    if (error instanceof TooLargeError) {
      this.#hit('message_size');
      return call.answer(plain(RESOURCE_EXHAUSTED, `grpc: received message after decompression larger than max ${error.limitBytes}`));
    }
    call.answer(statusAnswer(statusOfError(error)));
  }
  fault(fault: CallFault, call: ServerCall<GrpcPlan>): Answer {
    switch (fault) {
      case 'too large':
        return plain(RESOURCE_EXHAUSTED, `grpc: received message larger than max (${call.size} vs. ${call.plan.limitBytes})`);
      case 'no room':
        return statusAnswer({ code: RESOURCE_EXHAUSTED, message: 'the server is busy with other large messages', retryAfterMs: 1000 });
      case 'too many':
        return plain(INTERNAL, 'cardinality violation: received multiple request messages for a unary call');
      case 'bad flag':
        return plain(INTERNAL, 'grpc: received unexpected payload format');
      case 'missing':
        return plain(INTERNAL, 'cardinality violation: received no request message from non-client-streaming RPC');
      case 'cut':
        return plain(INTERNAL, 'unexpected EOF');
      case 'stalled':
        return plain(DEADLINE_EXCEEDED, 'the rest of the message did not come');
      case 'deadline':
        return plain(DEADLINE_EXCEEDED, 'context deadline exceeded');
    }
  }
}

function isGrpc(fields: HeaderFields): boolean {
  return /^application\/grpc(?:[+;]|$)/.test(findField(fields, 'content-type') ?? '');
}

const TIMEOUT_UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
/** Milliseconds of a grpc-timeout (at least 1), undefined where it is none. */
export function parseTimeout(text: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(text);
  return match ? Math.max(1, Number(match[1]) * TIMEOUT_UNITS[match[2]!]!) : undefined;
}
function firstField(fields: HeaderFields, name: string): string | undefined {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1];
  return undefined;
}
/** Headers that are gRPC's own matter, besides the pseudo headers. */
const RESERVED: ReadonlySet<string> = new Set(['te', 'grpc-timeout', 'grpc-encoding', 'grpc-message-type', 'grpc-message', 'grpc-status']);
/** The metadata of a call as grpc-go has it. */
function metadataOf(fields: HeaderFields): Map<string, string[]> {
  const metadata = new Map<string, string[]>();
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    if (RESERVED.has(name) || (name.startsWith(':') && name !== ':authority')) continue;
    const value = name.endsWith('-bin') ? Buffer.from(fields[i + 1]!, 'base64').toString() : fields[i + 1]!;
    const values = metadata.get(name);
    if (values) values.push(value);
    else metadata.set(name, [value]);
  }
  return metadata;
}
