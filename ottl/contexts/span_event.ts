/** spanevent: an event of a span. */
import { spanEvent } from '#src/data/contexts.ts';
import { SPAN_EVENT } from '#src/data/message_types.ts';
import { attributesOf, intField, path, textField, timeFields } from './access.ts';
import type { PathTable } from './context.ts';
import { fail } from '#ottl/values.ts';

export const spanEventPaths: PathTable = {
  ...timeFields(spanEvent, SPAN_EVENT.timeUnixNano, 'time'),
  name: textField(spanEvent, SPAN_EVENT.name),
  attributes: attributesOf(spanEvent),
  dropped_attributes_count: intField(spanEvent, SPAN_EVENT.droppedAttributesCount),
  // Known to few users of OTTL in the Collector, none of which is here: reading it fails there as well.
  event_index: path(
    () => fail("no 'event_index' property has been set"),
    () => fail("the 'event_index' path cannot be modified"),
  ),
};
