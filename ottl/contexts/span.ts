/** span. */
import { fail } from '#ottl/values.ts';
import { span } from '#src/data/contexts.ts';
import { SPAN, SPAN_EVENT_TYPE, SPAN_LINK_TYPE, STATUS } from '#src/data/message_types.ts';
import { attributesOf, enumField, idField, intField, messageField, messagesField, path, textField, timeFields, wantInt, wantText } from './access.ts';
import type { CompiledKey, PathAccess, PathTable } from './context.ts';
import { getTraceState, setTraceState } from './trace_state.ts';

const KINDS = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'];

function kindText(spell: (name: string) => string, what: string) {
  return path(
    () => {
      const name = KINDS[span.int(SPAN.kind)];
      return name === undefined ? '' : spell(name);
    },
    (value) => {
      const text = wantText(value);
      const kind = KINDS.findIndex((name) => spell(name) === text);
      if (kind < 0) fail(`unknown span kind ${what}, ${text}`);
      span.setInt(SPAN.kind, kind);
    },
  );
}

function traceStateKey(keys: readonly CompiledKey[]): PathAccess {
  const [key] = keys;
  if (keys.length !== 1 || !key) fail('must provide exactly 1 key when accessing trace_state');
  const name = (): string => (key.kind === 'string' ? key.value : fail('trace_state indexing type must be a string'));
  return {
    get: () => getTraceState(span.text(SPAN.traceState), name()),
    set: (_record, value) => {
      const changed = setTraceState(span.text(SPAN.traceState), name(), wantText(value));
      if (changed !== undefined) span.setText(SPAN.traceState, changed);
    },
  };
}

export const spanPaths: PathTable = {
  trace_id: idField(span, SPAN.traceId, 'trace'),
  span_id: idField(span, SPAN.spanId, 'span'),
  parent_span_id: idField(span, SPAN.parentSpanId, 'span'),
  trace_state: { ...textField(span, SPAN.traceState), keyed: traceStateKey },
  name: textField(span, SPAN.name),
  kind: {
    ...enumField(span, SPAN.kind),
    next: { string: kindText((name) => name, 'string'), deprecated_string: kindText((name) => `SPAN_KIND_${name.toUpperCase()}`, 'deprecated string') },
  },
  ...timeFields(span, SPAN.startTimeUnixNano, 'start_time'),
  ...timeFields(span, SPAN.endTimeUnixNano, 'end_time'),
  attributes: attributesOf(span),
  dropped_attributes_count: intField(span, SPAN.droppedAttributesCount),
  events: { plain: messagesField(span, SPAN.events, 'ptrace.SpanEventSlice', SPAN_EVENT_TYPE) },
  dropped_events_count: intField(span, SPAN.droppedEventsCount),
  links: { plain: messagesField(span, SPAN.links, 'ptrace.SpanLinkSlice', SPAN_LINK_TYPE) },
  dropped_links_count: intField(span, SPAN.droppedLinksCount),
  status: {
    plain: messageField(span, SPAN.status, 'ptrace.Status'),
    next: {
      code: {
        plain: {
          get: () => BigInt(span.intIn(SPAN.status, STATUS.code)),
          set: (_record, value) => span.setIntIn(SPAN.status, STATUS.code, Number(BigInt.asIntN(32, wantInt(value)))),
          known: { kind: 'intIn', cursor: span, field: SPAN.status, inner: STATUS.code },
        },
      },
      message: path(
        () => span.textIn(SPAN.status, STATUS.message),
        (value) => span.setTextIn(SPAN.status, STATUS.message, wantText(value)),
      ),
    },
  },
  flags: path(
    () => BigInt(span.fixed32(SPAN.flags)),
    (value) => {
      const flags = wantInt(value);
      if (flags < 0n || flags > 0xffffffffn) fail(`value ${flags} is out of range for uint32`);
      span.setFixed32(SPAN.flags, Number(flags));
    },
  ),
};

export const spanEnums: Readonly<Record<string, number>> = {
  ...Object.fromEntries(KINDS.map((name, i) => [`SPAN_KIND_${name.toUpperCase()}`, i])),
  STATUS_CODE_UNSET: 0,
  STATUS_CODE_OK: 1,
  STATUS_CODE_ERROR: 2,
};
