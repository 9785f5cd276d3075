/**
 * HTTP requests over the own HTTP/2 connections, for a server whose replies are short: the body is there in whole before the request is looked at, and the
 * reply is in whole before it is sent.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { Answer } from './http2/answer.ts';
import { findField } from './http2/header_rules.ts';
import type { HeaderFields } from './http2/hpack.ts';
import type { BareCall, CallFault, CallPlan, ServerCall, Service } from './http2/server_call.ts';
import { HttpError, type HttpReply, HttpRequest, type RequestSource, tooLarge } from './http_request.ts';
import type { HttpResponder } from './http_responder.ts';

interface HttpPlan extends CallPlan {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The request without a body, to ask by. */
  readonly head: HttpRequest;
  readonly extra: readonly (readonly [string, string])[];
  /** The last reply and how it went out: most calls are answered alike. */
  last: { readonly reply: HttpReply; readonly answer: Answer } | null;
}

const BODILESS: RequestSource = {
  peerAddress: '',
  distinctHeaders: () => ({}),
  readBody: () => Promise.resolve(Buffer.alloc(0)),
  onGone: () => () => {},
};

class CallSource implements RequestSource {
  readonly #call: BareCall<HttpPlan>;
  constructor(call: BareCall<HttpPlan>) {
    this.#call = call;
  }
  get peerAddress(): string {
    return this.#call.peerAddress;
  }
  distinctHeaders(): Record<string, readonly string[]> {
    const { fields } = this.#call;
    const headers: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
    for (let i = 0; i < fields.length; i += 2) {
      const name = nameOf(fields[i]!);
      if (name !== null) (headers[name] ??= []).push(fields[i + 1]!);
    }
    return headers;
  }
  readBody(maxBytes: number): Promise<Buffer> {
    const { body } = this.#call;
    return body.length > maxBytes ? Promise.reject(tooLarge(maxBytes)) : Promise.resolve(body);
  }
  /** Nobody waits for a long reply here. */
  onGone(): () => void {
    return () => {};
  }
}

export class Http2Service implements Service<HttpPlan> {
  readonly isBare = true;
  readonly #responder: HttpResponder;
  constructor(responder: HttpResponder) {
    this.#responder = responder;
  }

  plan(fields: HeaderFields): HttpPlan {
    const method = findField(fields, ':method')!;
    const url = findField(fields, ':path')!;
    const headers = headersOf(fields);
    const length = headers['content-length'];
    const { rules } = this.#responder;
    const head = new HttpRequest(method, url, headers, BODILESS, rules);
    const plan = {
      method,
      url,
      headers,
      head,
      extra: this.#responder.extraHeaders(head),
      patient: false,
      contentLength: length === undefined ? -1 : /^\d{1,15}$/.test(length) ? Number(length) : Number.MAX_SAFE_INTEGER,
      limitBytes: rules.maxBytes,
      timeoutMs: 0,
      refusal: null,
      last: null,
    };
    return plan.contentLength <= rules.maxBytes ? plan : { ...plan, refusal: this.#answer(plan, this.#responder.errorReply(head, tooLarge(rules.maxBytes))) };
  }
  refuse(plan: HttpPlan): Answer | null {
    const reply = this.#responder.early(plan.head);
    return reply === null ? null : this.#answer(plan, reply);
  }
  run(call: ServerCall<HttpPlan>): void {
    const { plan } = call;
    const request = new HttpRequest(plan.method, plan.url, plan.headers, new CallSource(call as BareCall<HttpPlan>), this.#responder.rules);
    void this.#respond(call, request);
  }
  async #respond(call: ServerCall<HttpPlan>, request: HttpRequest): Promise<void> {
    const reply = await this.#responder.respond(request);
    call.answer(this.#answer(call.plan, await inWhole(reply)));
  }
  fault(fault: CallFault, call: ServerCall<HttpPlan>): Answer {
    const { head } = call.plan;
    const error = fault === 'too large' ? tooLarge(call.plan.limitBytes) : FAULTS[fault];
    return this.#answer(call.plan, this.#responder.errorReply(head, error));
  }

  #answer(plan: HttpPlan, reply: HttpReply): Answer {
    if (plan.last !== null && plan.last.reply === reply) return plan.last.answer;
    const body = reply.body as string | Uint8Array | undefined;
    const bytes = body === undefined ? NO_BYTES : typeof body === 'string' ? Buffer.from(body) : body;
    const fields = [':status', String(reply.status)];
    for (const [name, value] of [...plan.extra, ...Object.entries(reply.headers ?? {})]) fields.push(name.toLowerCase(), value);
    fields.push('content-length', String(bytes.length));
    const answer = Answer.of(fields, plan.method === 'HEAD' || bytes.length === 0 ? null : bytes);
    plan.last = { reply, answer };
    return answer;
  }
}
const NO_BYTES = new Uint8Array(0);
const BUSY = new HttpError(429, 'the server is busy with other large requests', { headers: { 'Retry-After': '1' } });
const BROKEN = new HttpError(400, 'the request broke off');
const FAULTS: Readonly<Record<Exclude<CallFault, 'too large'>, HttpError>> = {
  'no room': BUSY,
  stalled: new HttpError(408, 'the rest of the request did not come'),
  deadline: new HttpError(408, 'the rest of the request did not come'),
  'too many': BROKEN,
  'bad flag': BROKEN,
  missing: BROKEN,
  cut: BROKEN,
};

async function inWhole(reply: HttpReply): Promise<HttpReply> {
  const { body } = reply;
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return reply;
  const parts: Buffer[] = [];
  for await (const chunk of body) parts.push(Buffer.from(chunk as string));
  return { ...reply, body: Buffer.concat(parts) };
}

/** What a header is called in HTTP/1.1, null for what is none there. */
function nameOf(field: string): string | null {
  return field === ':authority' ? 'host' : field.startsWith(':') ? null : field;
}
/** As node:http has them: names that come twice are joined. */
function headersOf(fields: HeaderFields): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {};
  for (let i = 0; i < fields.length; i += 2) {
    const name = nameOf(fields[i]!);
    if (name === null) continue;
    const before = headers[name];
    headers[name] = before === undefined ? fields[i + 1]! : `${String(before)}, ${fields[i + 1]!}`;
  }
  return headers;
}
