/** Names spans as the semantic conventions say, from their attributes: few names, instead of one for each URL. */
import { quoteGo } from '#src/core/go_quote.ts';
import { defineEditor, p } from '#ottl/function.ts';
import { fail, type Stored } from '#ottl/values.ts';
import { valueText } from '#src/data/value_text.ts';
import { span } from '#src/data/contexts.ts';
import { SPAN } from '#src/data/message_types.ts';

/** The minor versions of the conventions 1.x whose names are known. */
const OLDEST = 37,
  NEWEST = 40;
const SERVER = 2,
  CLIENT = 3,
  PRODUCER = 4,
  CONSUMER = 5;

export const setSemconvSpanName = defineEditor({
  name: 'set_semconv_span_name',
  summary:
    'Sets the name of a span to what the semantic conventions (1.37.0 to 1.40.0) make of its attributes; the old name goes to an attribute, where one is given.',
  params: { semconvVersion: p.stringLiteral, originalSpanNameAttribute: p.optional(p.stringLiteral) },
  contexts: ['span'],
  examples: [
    { run: 'set_semconv_span_name("1.37.0", "original.name")', note: '"GET /berth/12?x=1" becomes "GET /berth/{id}".' },
    { run: 'set_semconv_span_name("1.20.0")', error: 'unsupported semconv version "1.20.0": must be between 1.37.0 and 1.40.0' },
  ],
  create({ semconvVersion, originalSpanNameAttribute }) {
    checkVersion(semconvVersion);
    if (originalSpanNameAttribute === '') fail('originalSpanNameAttribute cannot be an empty string');
    return () => {
      const original = span.text(SPAN.name),
        name = semconvName() || original;
      if (name === original) return;
      span.setText(SPAN.name, name);
      if (originalSpanNameAttribute !== undefined) span.setAttribute(originalSpanNameAttribute, original);
    };
  },
});

function checkVersion(version: string): void {
  const match = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/.exec(version);
  if (match === null) return fail(`failed to parse semconv version ${quoteGo(version)}: Invalid Semantic Version`);
  const [major, minor, patch] = [match[1], match[2], match[3]].map((part) => Number(part ?? 0)) as [number, number, number];
  const early = match[4] !== undefined && patch === 0; // 1.37.0-rc1 comes before 1.37.0.
  const known = major === 1 && (minor > OLDEST || (minor === OLDEST && !early)) && (minor < NEWEST || (minor === NEWEST && patch === 0));
  if (!known) fail(`unsupported semconv version ${quoteGo(version)}: must be between 1.${OLDEST}.0 and 1.${NEWEST}.0`);
}

/** Empty where the conventions have no name. */
function semconvName(): string {
  switch (span.int(SPAN.kind)) {
    case SERVER:
      return httpName('http.route') || rpcName() || messagingName();
    case CLIENT:
      return httpName('url.template') || rpcName() || databaseName() || messagingName();
    case PRODUCER:
    case CONSUMER:
      return messagingName();
    default:
      return '';
  }
}

/** The first of these attributes that is there, as text. */
function first(...keys: string[]): string | undefined {
  for (const key of keys) {
    const value: Stored | undefined = span.attribute(key);
    if (value !== undefined) return valueText(value);
  }
  return undefined;
}

/** https://opentelemetry.io/docs/specs/semconv/http/http-spans/#name */
function httpName(subjectKey: string): string {
  const method = first('http.request.method', 'http.method'),
    subject = first(subjectKey);
  if (method === undefined) return '';
  return subject === undefined ? method : `${method} ${subject}`;
}

/** https://opentelemetry.io/docs/specs/semconv/rpc/rpc-spans/#span-name */
function rpcName(): string {
  const system = first('rpc.system.name', 'rpc.system');
  if (system === undefined) return '';
  const method = first('rpc.method', 'rpc.grpc.method'),
    service = first('rpc.service', 'rpc.grpc.service');
  if (service !== undefined) return `${service}/${method ?? '*'}`;
  return method ?? system;
}

/** https://opentelemetry.io/docs/specs/semconv/database/database-spans/#name */
function databaseName(): string {
  const system = first('db.system.name', 'db.system');
  if (system === undefined) return '';
  const summary = first('db.query.summary');
  if (summary !== undefined) return summary;
  return [first('db.operation.name', 'db.operation') ?? '', databaseTarget()].filter((part) => part !== '').join(' ') || system;
}
function databaseTarget(): string {
  const namespace = first('db.namespace', 'db.name') ?? '',
    object = first('db.collection.name', 'db.stored_procedure.name');
  if (object !== undefined) return namespace === '' ? object : `${namespace}.${object}`;
  return namespace || serverAddress();
}
function serverAddress(): string {
  const address = first('server.address'),
    port = first('server.port');
  if (address === undefined) return '';
  return port === undefined ? address : `${address}:${port}`;
}

/** https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/#span-name */
function messagingName(): string {
  const system = first('messaging.system');
  if (system === undefined) return '';
  const operation = first('messaging.operation.name', 'messaging.operation'),
    destination = messagingDestination();
  if (destination === '') return operation ?? system;
  return operation === undefined ? destination : `${operation} ${destination}`;
}
function messagingDestination(): string {
  if (span.attribute('messaging.destination.temporary') === true) return '(temporary)';
  if (span.attribute('messaging.destination.anonymous') === true) return '(anonymous)';
  return first('messaging.destination.template', 'messaging.destination.name', 'messaging.destination') ?? serverAddress();
}
