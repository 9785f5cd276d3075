/**
 * The keys that many components share: the Collector's confignet, configtls, configgrpc, confighttp and configcompression, as shapes to
 * spread into a component's schema (`z.strictObject({ ...grpcServerShape('localhost:4317'), … })`). Names and defaults are the
 * Collector's. What is parsed here works; what is not built is refused by name, never ignored. Reading the files is in tls.ts.
 */
import { z } from 'zod';
import { duration, parseHostPort, secret } from '#src/config/schema.ts';

/** A key of the Collector that does not exist here: giving it is an error that says so. */
export function unsupported(what: string) {
  return z
    .unknown()
    .optional()
    .refine((value) => value === undefined, { message: `${what} is not supported yet` });
}

const size = () => z.number().int().nonnegative();
/** A key of the Collector that would have no effect here: configs that spell out its default are taken, others refused. */
const onlySize = (key: string, value: number, why: string) =>
  size()
    .refine((given) => given === value, { message: `${key} is not supported yet, only its default ${value} is: ${why}` })
    .default(value)
    .describe(`Only the default is taken: ${why}.`);

/** Header lists are written as a map or as a list of name and value, and are kept as a list. */
export function headerList() {
  const pair = z.strictObject({ name: z.string().min(1), value: secret() });
  const asList = (value: unknown): unknown => {
    if (value === null) return [];
    if (typeof value !== 'object' || Array.isArray(value)) return value;
    return Object.entries(value).map(([name, entry]) => ({ name, value: entry }));
  };
  return z.preprocess(asList, z.array(pair)).default([]);
}

const TLS_VERSIONS = ['1.0', '1.1', '1.2', '1.3'] as const;
const tlsVersion = (key: string) =>
  z
    .string()
    .refine((value) => value === '' || (TLS_VERSIONS as readonly string[]).includes(value), {
      error: (issue) => `invalid TLS ${key}: unsupported TLS version: "${String(issue.input)}"`,
    })
    .optional();

const tlsShape = {
  ca_file: z.string().optional().describe("File with the CA certificates to trust; the system's where absent."),
  ca_pem: secret().optional().describe('The same as text.'),
  include_system_ca_certs_pool: z.boolean().default(false).describe("Trust the system's CA certificates besides those given."),
  cert_file: z.string().optional().describe('File with our certificate chain.'),
  cert_pem: secret().optional().describe('The same as text.'),
  key_file: z.string().optional().describe('File with the private key.'),
  key_pem: secret().optional().describe('The same as text.'),
  min_version: tlsVersion('min_version').describe('Lowest TLS version, 1.2 where absent.'),
  max_version: tlsVersion('max_version').describe('Highest TLS version.'),
  cipher_suites: z.array(z.string()).default([]).describe('Go names of the cipher suites to allow.'),
  include_insecure_cipher_suites: unsupported('include_insecure_cipher_suites'),
  reload_interval: duration().prefault('0s').describe('How often certificate files are read again; 0 is never.'),
  curve_preferences: z
    .array(z.enum(['X25519', 'P256', 'P384', 'P521', 'X25519MLKEM768']))
    .default([])
    .describe('Curves in order of preference.'),
  tpm: unsupported('tpm'),
};

type TlsFields = z.output<z.ZodObject<typeof tlsShape>>;
/** The rules that span several keys, shared by client and server. */
function checkTls(tls: TlsFields, server: boolean): string[] {
  const faults: string[] = [];
  if (tls.ca_file && tls.ca_pem) faults.push('provide either a CA file or the PEM-encoded string, but not both');
  if (tls.cert_file && tls.cert_pem) faults.push('provide either certificate file or PEM, but not both');
  if (tls.key_file && tls.key_pem) faults.push('provide either key file or PEM, but not both');
  const hasCert = Boolean(tls.cert_file || tls.cert_pem);
  const hasKey = Boolean(tls.key_file || tls.key_pem);
  if (hasCert !== hasKey || (server && !hasCert))
    faults.push(`TLS configuration must include both certificate and key${server ? ' for server connections' : ''}`);
  if (tls.min_version && tls.max_version && tls.min_version > tls.max_version)
    faults.push('invalid TLS configuration: min_version cannot be greater than max_version');
  return faults;
}
function tlsCheck(server: boolean) {
  return (context: { value: TlsFields; issues: unknown[] }) => {
    for (const message of checkTls(context.value, server)) context.issues.push({ code: 'custom', input: context.value, message });
  };
}

export function tlsClient() {
  return z
    .strictObject({
      ...tlsShape,
      insecure: z.boolean().default(false).describe('No TLS at all.'),
      insecure_skip_verify: z.boolean().default(false).describe("TLS without checking the server's certificate."),
      server_name_override: z.string().optional().describe("Name to ask for and to check instead of the endpoint's host."),
    })
    .check(tlsCheck(false));
}
export type TlsClientConfig = z.output<ReturnType<typeof tlsClient>>;

export function tlsServer() {
  return z
    .strictObject({
      ...tlsShape,
      client_ca_file: z.string().optional().describe("CA file that clients' certificates must be signed by; turns on mutual TLS."),
      client_ca_file_reload: z.boolean().default(false).describe('Read client_ca_file again when it changes.'),
    })
    .check(tlsCheck(true));
}
export type TlsServerConfig = z.output<ReturnType<typeof tlsServer>>;

export const COMPRESSIONS = ['gzip', 'zlib', 'deflate', 'snappy', 'x-snappy-framed', 'zstd', 'lz4', 'none', ''] as const;
export type Compression = (typeof COMPRESSIONS)[number];
const compression = (fallback: Compression, supported: readonly Compression[]) =>
  z
    .string()
    .superRefine((value, context) => {
      if ((supported as readonly string[]).includes(value)) return;
      const known = (COMPRESSIONS as readonly string[]).includes(value);
      const rest = known ? 'is for HTTP only' : 'is unknown';
      context.addIssue({ code: 'custom', message: `unsupported compression type "${value}": it ${rest}; use one of ${supported.filter(Boolean).join(', ')}` });
    })
    .transform((value) => value as Compression)
    .prefault(fallback);

/** The level is zlib's for gzip, zlib and deflate (-1 the default, 0 to 9), any number for zstd; the others have none. */
export function checkCompressionLevel(type: Compression, level: number): string | undefined {
  if (level === 0 || type === 'none' || type === '' || type === 'zstd') return undefined;
  const zlibbed = type === 'gzip' || type === 'zlib' || type === 'deflate';
  if (zlibbed && ((level >= -2 && level <= 9) || level === -1)) return undefined;
  return `unsupported parameters {Level:${level}} for compression type "${type}"`;
}

/** Not a key of the Collector, which compresses everything anew. */
export function compressedPassThrough() {
  return z
    .enum(['single', 'multiple', 'off'])
    .default('single')
    .describe(
      'Whether requests that came in compressed as they go out, and that nothing changed, are sent without compressing them again. `single`: as one gzip member or zstd frame. `multiple`: zstd requests that were put together as several frames, too, of which some servers read only the first. `off`: never.',
    );
}
export type CompressedPassThrough = z.output<ReturnType<typeof compressedPassThrough>>;

const authenticator = z.string().default('').describe('Id of the extension.');
/** configauth.Config; whether the extension runs is known at the start (src/core/auth.ts). */
const authShape = (what: string) => z.preprocess((value) => value ?? undefined, z.strictObject({ authenticator }).optional()).describe(what);
const SERVER_AUTH = 'Extension that says who may send; all may where absent.';
const CLIENT_AUTH = 'Extension that adds credentials to requests.';

const middlewares = () =>
  z
    .array(z.strictObject({ id: z.string().min(1).describe('Id of the extension.') }))
    .default([])
    .describe('Extensions that may refuse a request before it is read, in this order.');

const listenShape = (address: string) => ({
  endpoint: listenEndpoint(address),
  transport: z.enum(['tcp', 'tcp4', 'tcp6', 'unix']).default('tcp').describe('With unix, `endpoint` is the path of the socket.'),
  dialer: z
    .strictObject({
      timeout: duration()
        .refine((ms) => ms === 0, { message: 'dialer::timeout is not supported: a server dials nobody' })
        .prefault('0s')
        .describe('Only the default is taken: a server dials nobody.'),
    })
    .optional()
    .describe('Of no use to a server.'),
});
// A unix path has no port, so the check on host:port waits for `transport`: see checkListen.
const listenEndpoint = (address: string) => (address === '' ? z.string() : z.string().default(address)).describe('Address to listen on.');

/** Reports an endpoint that is no host:port, unless it is a unix path. Put it on the object that holds the shape: `.check(checkListen)`. */
export function checkListen(context: { value: { endpoint: string; transport: string }; issues: unknown[] }): void {
  const { endpoint: address, transport } = context.value;
  if (transport === 'unix' ? address !== '' : parseHostPort(address) !== undefined) return;
  const message = transport === 'unix' ? 'needs the path of the socket' : `"${address}" has no port; write host:port, for example "localhost:4317"`;
  context.issues.push({ code: 'custom', path: ['endpoint'], input: address, message });
}

/** configgrpc.ServerConfig. */
export function grpcServerShape(address: string) {
  return {
    ...listenShape(address),
    tls: tlsServer().optional(),
    max_recv_msg_size_mib: size().default(0).describe('Largest message in MiB, before and after decompression; 0 is 4.'),
    max_concurrent_streams: size().max(0xffffffff).default(0).describe('Calls at a time on one connection; 0 is 1000.'),
    read_buffer_size: onlySize('read_buffer_size', 512 * 1024, 'reads adapt by themselves'),
    write_buffer_size: size().default(0).describe('Unsent bytes at which a connection is no longer read; 0 is 1 MiB.'),
    keepalive: z
      .strictObject({
        server_parameters: z
          .strictObject({
            max_connection_idle: duration().prefault('0s').describe('A connection without calls for so long is closed; 0 is never.'),
            max_connection_age: duration().prefault('0s').describe('A connection older than this is drained and closed, give or take 10 %.'),
            max_connection_age_grace: duration().prefault('0s').describe('How long a drained connection may finish its calls; 0 is without end.'),
            time: duration().prefault('0s').describe('A client that is silent for so long gets a PING; 0 is 2h.'),
            timeout: duration().prefault('0s').describe('And is cut off if it does not answer within this; 0 is 20s.'),
          })
          .prefault({}),
        enforcement_policy: z
          .strictObject({
            min_time: duration().prefault('0s').describe('PINGs that come faster than this are punished; 0 is 5m.'),
            permit_without_stream: z.boolean().default(false).describe('Whether PINGs without calls are fine.'),
          })
          .prefault({}),
      })
      .prefault({}),
    include_metadata: z.boolean().default(false).describe('Hand the headers of a request on to the pipeline.'),
    auth: authShape(SERVER_AUTH),
    middlewares: middlewares(),
  };
}
export type GrpcServerConfig = z.output<z.ZodObject<ReturnType<typeof grpcServerShape>>>;

const GRPC_COMPRESSIONS: readonly Compression[] = ['gzip', 'zstd', 'snappy', 'none', ''];

/** configgrpc.ClientConfig. */
export function grpcClientShape(fallback: Compression = '') {
  return {
    endpoint: z
      .string()
      .superRefine((value, context) => {
        const fault = value === '' ? undefined : checkGrpcTarget(value);
        if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
      })
      .default('')
      .describe('host:port, dns:///host:port, http(s)://host:port or unix:///path.'),
    compression: compression(fallback, GRPC_COMPRESSIONS).describe('gzip, zstd, snappy or none.'),
    tls: tlsClient().prefault({}),
    keepalive: z
      .strictObject({
        time: duration().prefault('10s').describe('A server that is silent for so long gets a PING; less than 10s counts as 10s.'),
        timeout: duration().prefault('10s').describe('And the connection is given up if it is not answered within this.'),
        permit_without_stream: z.boolean().default(false).describe('PING even when no call is under way.'),
      })
      .optional(),
    read_buffer_size: onlySize('read_buffer_size', 0, 'reads adapt by themselves'),
    write_buffer_size: onlySize('write_buffer_size', 512 * 1024, 'a call is written as it is'),
    wait_for_ready: z.boolean().default(false).describe('Wait for a connection until the timeout instead of failing at once.'),
    headers: headerList().describe('Metadata sent with each call.'),
    user_agent: z.string().optional().describe('Replaces the user-agent.'),
    balancer_name: z
      .enum(['round_robin', 'pick_first', ''], { error: (issue) => `invalid balancer_name: ${String(issue.input)}` })
      .default('round_robin')
      .describe('round_robin uses all addresses of the host in turn, pick_first one.'),
    authority: z.string().optional().describe('Replaces the :authority of calls.'),
    auth: authShape(CLIENT_AUTH),
    middlewares: unsupported('middlewares'),
  };
}
export type GrpcClientConfig = z.output<z.ZodObject<ReturnType<typeof grpcClientShape>>>;

/** What a gRPC endpoint means, once its scheme is taken off. */
export interface GrpcTarget {
  readonly kind: 'tcp' | 'unix';
  readonly host: string;
  readonly port: number;
  /** For unix: the socket. */
  readonly path: string;
  /** The scheme says TLS whatever `tls::insecure` says (https), or says nothing. */
  readonly forceTls: boolean;
}
export function parseGrpcTarget(text: string): GrpcTarget | undefined {
  const unix = /^unix:(?:\/\/)?(.+)$/.exec(text);
  if (unix) return { kind: 'unix', host: '', port: 0, path: unix[1]!, forceTls: false };
  const scheme = /^(https?:\/\/|dns:\/\/[^/]*\/|dns:|passthrough:\/\/\/)/.exec(text)?.[1] ?? '';
  const address = parseHostPort(text.slice(scheme.length).replace(/\/$/, ''));
  return address && { kind: 'tcp', host: address.host || 'localhost', port: address.port, path: '', forceTls: scheme === 'https://' };
}
function checkGrpcTarget(text: string): string | undefined {
  if (parseGrpcTarget(text) !== undefined) return undefined;
  return `"${text}" has no port; write host:port, for example "localhost:4317"`;
}

const DECODERS = ['', 'gzip', 'zstd', 'zlib', 'snappy', 'deflate', 'lz4', 'x-snappy-framed'] as const;

/** confighttp.ServerConfig. Timeouts of the OTLP receiver are 0, those of the others the Collector's. */
export function httpServerShape(address: string, timeouts: { write?: string; readHeader?: string; idle?: string } = {}) {
  return {
    ...listenShape(address),
    tls: tlsServer().optional(),
    cors: z
      .strictObject({
        allowed_origins: z.array(z.string()).default([]).describe('Origins that may call from a browser; * stands for any characters.'),
        allowed_headers: z.array(z.string()).default([]).describe('Headers they may send; * for any.'),
        exposed_headers: z.array(z.string()).default([]).describe('Headers of the answer they may read.'),
        max_age: size().default(0).describe('Seconds that a browser may remember a preflight answer.'),
      })
      .optional(),
    max_request_body_size: z
      .number()
      .int()
      .default(20 * 1024 * 1024)
      .describe('Largest body in bytes, before and after decompression.'),
    include_metadata: z.boolean().default(false).describe('Hand the headers of a request on to the pipeline.'),
    response_headers: headerList().describe('Headers added to every answer.'),
    compression_algorithms: z
      .array(z.enum(DECODERS, { error: (issue) => `unsupported compression "${String(issue.input)}"; use any of ${DECODERS.filter(Boolean).join(', ')}` }))
      .optional()
      .describe('Content-Encodings that are taken; all where absent.'),
    read_timeout: duration().prefault('0s').describe('Limit for reading a whole request; 0 is none.'),
    read_header_timeout: duration()
      .prefault(timeouts.readHeader ?? '1m')
      .describe('Limit for reading the headers; 0 is none.'),
    write_timeout: duration()
      .prefault(timeouts.write ?? '30s')
      .describe('Limit for writing an answer; 0 is none.'),
    idle_timeout: duration()
      .prefault(timeouts.idle ?? '1m')
      .describe('How long a connection may wait for its next request; 0 is without end.'),
    keep_alives_enabled: z.boolean().default(true).describe('Whether a connection serves several requests.'),
    auth: z
      .preprocess(
        (value) => value ?? undefined,
        z
          .strictObject({
            authenticator,
            request_params: z.array(z.string()).default([]).describe('Parameters of the URL that count as headers of their name.'),
          })
          .optional(),
      )
      .describe(SERVER_AUTH),
    middlewares: middlewares(),
  };
}
export type HttpServerConfig = z.output<z.ZodObject<ReturnType<typeof httpServerShape>>>;

/** confighttp.ClientConfig. `endpoint` is a URL; whether it is needed is the component's matter. */
export function httpClientShape(fallback: { compression?: Compression; timeout?: string } = {}) {
  return {
    endpoint: z.string().default('').describe('URL to send to.'),
    proxy_url: z.string().default('').describe('Proxy to use instead of those of HTTP_PROXY, HTTPS_PROXY and NO_PROXY.'),
    tls: tlsClient().prefault({}),
    timeout: duration()
      .prefault(fallback.timeout ?? '0s')
      .describe('Limit for a whole request; 0 is none.'),
    headers: headerList().describe('Headers sent with each request.'),
    compression: compression(fallback.compression ?? '', COMPRESSIONS).describe('gzip, zstd, snappy, x-snappy-framed, lz4, zlib, deflate or none.'),
    compression_params: z
      .strictObject({ level: z.number().int().default(0).describe("zlib's for gzip, zlib and deflate, zstd's for zstd; 0 is 3.") })
      .prefault({}),
    read_buffer_size: onlySize('read_buffer_size', 0, 'reads adapt by themselves'),
    write_buffer_size: onlySize('write_buffer_size', 512 * 1024, 'a body is written as it is'),
    max_idle_conns: onlySize('max_idle_conns', 100, 'idle connections end by idle_conn_timeout'),
    max_idle_conns_per_host: onlySize('max_idle_conns_per_host', 0, 'idle connections end by idle_conn_timeout'),
    max_conns_per_host: size().default(0).describe('Connections to one host; 0 is without limit.'),
    idle_conn_timeout: duration().prefault('90s').describe('An idle connection is closed after this.'),
    disable_keep_alives: z.boolean().default(false).describe('A new connection for each request.'),
    force_attempt_http2: z
      .boolean()
      .refine((given) => given, { message: 'force_attempt_http2 is not supported yet, only its default true is: requests are HTTP/1.1 in any case' })
      .default(true)
      .describe('Only the default is taken: requests are HTTP/1.1, which every server that has HTTP/2 takes too.'),
    http2_read_idle_timeout: unsupported('http2_read_idle_timeout'),
    http2_ping_timeout: unsupported('http2_ping_timeout'),
    cookies: unsupported('cookies'),
    auth: authShape(CLIENT_AUTH),
    middlewares: unsupported('middlewares'),
  };
}
export type HttpClientConfig = z.output<z.ZodObject<ReturnType<typeof httpClientShape>>>;
