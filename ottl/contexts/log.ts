/** log: a log record. */
import { fail, pdataTypeName, ValueMap } from '#ottl/values.ts';
import { log } from '#src/data/contexts.ts';
import { LOG } from '#src/data/message_types.ts';
import { valueText } from '#src/data/value_text.ts';
import { attributesOf, enumField, flags32, getIndexed, Holder, idField, intField, path, store, textField, timeFields, wantText } from './access.ts';
import type { CompiledKey, PathAccess, PathTable } from './context.ts';

function bodyKey(keys: readonly CompiledKey[]): PathAccess {
  const body = () => {
    const value = log.anyField(LOG.body);
    return value instanceof ValueMap || Array.isArray(value) ? value : fail(`log bodies of type ${pdataTypeName(value)} cannot be indexed`);
  };
  return {
    get: (record) => getIndexed(body(), keys, 0, record),
    set: (record, value) => {
      const holder = new Holder(body());
      try {
        holder.setIndexed(keys, 0, value, record);
      } finally {
        log.setAnyField(LOG.body, holder.value);
      }
    },
  };
}

export const logPaths: PathTable = {
  ...timeFields(log, LOG.timeUnixNano, 'time'),
  ...timeFields(log, LOG.observedTimeUnixNano, 'observed_time'),
  severity_number: enumField(log, LOG.severityNumber),
  severity_text: textField(log, LOG.severityText),
  body: {
    plain: {
      get: () => log.anyField(LOG.body),
      set: (_record, value) => {
        if (value !== null) store(value, log.anyField(LOG.body), (stored) => log.setAnyField(LOG.body, stored));
      },
      known: { kind: 'any', cursor: log, field: LOG.body },
    },
    keyed: bodyKey,
    next: {
      string: path(
        () => valueText(log.anyField(LOG.body)),
        (value) => log.setAnyField(LOG.body, wantText(value)),
      ),
    },
  },
  attributes: attributesOf(log),
  dropped_attributes_count: intField(log, LOG.droppedAttributesCount),
  flags: flags32(log, LOG.flags),
  trace_id: idField(log, LOG.traceId, 'trace'),
  span_id: idField(log, LOG.spanId, 'span'),
  event_name: textField(log, LOG.eventName),
};

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
export const logEnums: Readonly<Record<string, number>> = {
  SEVERITY_NUMBER_UNSPECIFIED: 0,
  ...Object.fromEntries(LEVELS.flatMap((level, i) => ['', '2', '3', '4'].map((suffix, k) => [`SEVERITY_NUMBER_${level}${suffix}`, 4 * i + k + 1]))),
};
