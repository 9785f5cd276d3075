/** A request as handlers see it, whatever HTTP it came by, and what they make of it. Bodies come decompressed and within a limit. */
import type { IncomingHttpHeaders } from 'node:http';
import type { AuthAttributes } from '#src/core/auth.ts';
import { errorText } from '#src/core/errors.ts';
import { isPackedCoding, type PackedUses } from './compressed/packed.ts';
import { type DecodedBody, decodeOwned, isContentCoding, TooLargeError } from './compression.ts';

export interface HttpReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Nothing, text, bytes, or bytes that come in time (a stream of frames, live tail). */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array | string>;
}

/** Where a request comes from. */
export interface RequestSource {
  /** IP address of the client, empty over a unix socket. */
  readonly peerAddress: string;
  /** The headers by name, each as often as it came. */
  distinctHeaders(): Readonly<Record<string, readonly string[] | undefined>>;
  /** The body as it comes, at most so many bytes of it, else TooLargeError. The buffer is the caller's. */
  readBody(maxBytes: number): Promise<Buffer>;
  /** Calls `gone` when the client goes away (at once where it has); returns what ends that. */
  onGone(gone: () => void): () => void;
}
export interface BodyRules {
  /** Of a body as it comes, and of what is in it. */
  readonly maxBytes: number;
  /** Content-Encodings that are taken. */
  readonly codings: ReadonlySet<string>;
}

/** One request. Valid until its reply is written. */
export class HttpRequest {
  readonly method: string;
  /** Without the query. Not decoded; the router decodes its parameters. */
  readonly path: string;
  /** Behind the "?", still encoded; `query` parses it. */
  readonly search: string;
  readonly headers: IncomingHttpHeaders;
  /** Parameters of the route, decoded: { name: "job" } for /label/:name/values. */
  params: Readonly<Record<string, string>> = {};
  /** What the authenticator says of the sender. */
  authAttributes: AuthAttributes | undefined = undefined;
  readonly #source: RequestSource;
  readonly #rules: BodyRules;
  #query: URLSearchParams | null = null;
  #abort: AbortController | null = null;
  #forget: (() => void) | null = null;

  constructor(method: string, url: string, headers: IncomingHttpHeaders, source: RequestSource, rules: BodyRules) {
    const mark = url.indexOf('?');
    this.method = method;
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.search = mark < 0 ? '' : url.slice(mark + 1);
    this.headers = headers;
    this.#source = source;
    this.#rules = rules;
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.search);
    return this.#query;
  }
  /** IP address of the client, empty over a unix socket. */
  get peerAddress(): string {
    return this.#source.peerAddress;
  }
  /** Aborted when the client goes away before its reply. */
  get signal(): AbortSignal {
    if (this.#abort === null) {
      const abort = new AbortController();
      this.#abort = abort;
      this.#forget = this.#source.onGone(() => abort.abort());
    }
    return this.#abort.signal;
  }
  /** For HttpServer, once the reply is written: the socket may serve many requests, and does not keep a listener of each. */
  release(): void {
    this.#forget?.();
  }
  /** The media type, lower case and without parameters. */
  get contentType(): string {
    const type = this.headers['content-type'] ?? '';
    const end = type.indexOf(';');
    return (end < 0 ? type : type.slice(0, end)).trim().toLowerCase();
  }
  /** The first value of a header; parameters of the URL that are listed in `params` count as headers. Those spelled as Go spells the header go before it. */
  authHeader(name: string, params: readonly string[]): string | undefined {
    const listed = params.filter((param) => param.toLowerCase() === name && this.query.has(param));
    const first = listed.find((param) => param === goSpelling(name));
    if (first !== undefined) return this.query.get(first)!;
    return this.#source.distinctHeaders()[name]?.[0] ?? (listed[0] === undefined ? undefined : this.query.get(listed[0])!);
  }
  /** The headers as metadata of a batch: names in lower case, values that came apart kept apart. */
  metadata(): Map<string, readonly string[]> {
    const metadata = new Map<string, readonly string[]>();
    for (const [name, values] of Object.entries(this.#source.distinctHeaders())) if (values !== undefined) metadata.set(name, values);
    return metadata;
  }
  /** What content-length says, 0 where it is absent. */
  get announcedBytes(): number {
    const length = this.headers['content-length'];
    return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : 0;
  }
  /** The whole body, decompressed. Rejects with HttpError 400 or TooLargeError. The buffer is the caller's. Call it once. */
  async body(): Promise<Buffer> {
    return (await this.bodyAndPacked(NOBODY)).plain;
  }
  /** body() together with its compressed form, where `uses` has one for it. */
  async bodyAndPacked(uses: PackedUses): Promise<DecodedBody> {
    const { maxBytes, codings } = this.#rules;
    const coding = (this.headers['content-encoding'] ?? '').trim().toLowerCase();
    const known = coding === '' || coding === 'identity' || (codings.has(coding) && isContentCoding(coding));
    if (!known) throw new HttpError(400, `unsupported Content-Encoding: ${coding}`);
    const raw = await this.rawBody();
    if (coding === '' || coding === 'identity' || raw.length === 0) return { plain: raw, packed: null };
    try {
      return await decodeOwned(raw, coding, maxBytes, isPackedCoding(coding) ? uses(coding) : 'none');
    } catch (error) {
      if (error instanceof TooLargeError) throw error;
      throw new HttpError(400, errorText(error), { cause: error });
    }
  }
  /** The body as it came, before its Content-Encoding is taken off, within the size limit: for formats that are compressed by themselves. */
  rawBody(): Promise<Buffer> {
    const { maxBytes } = this.#rules;
    if (this.announcedBytes > maxBytes) return Promise.reject(tooLarge(maxBytes));
    return this.#source.readBody(maxBytes);
  }
}
const NOBODY: PackedUses = () => 'none';
export function tooLarge(maxBytes: number): TooLargeError {
  return new TooLargeError(maxBytes, 'http: request body too large');
}

/** Thrown by handlers (or `body()`) to answer with a status and a plain message. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, message: string, options: ErrorOptions & { headers?: Readonly<Record<string, string>> } = {}) {
    super(message, options);
    this.status = status;
    this.headers = options.headers ?? {};
  }
}

export type HttpHandler = (request: HttpRequest) => HttpReply | Promise<HttpReply>;

/** "X-Api-Key" of "x-api-key". */
function goSpelling(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}
