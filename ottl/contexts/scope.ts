/** scope (older: instrumentation_scope): the library that made the telemetry. */
import { scope, scopeGroup } from '#src/data/contexts.ts';
import { SCOPE, SCOPE_GROUP } from '#src/data/message_types.ts';
import { attributesOf, intField, textField } from './access.ts';
import type { PathTable } from './context.ts';

export const scopePaths: PathTable = {
  name: textField(scope, SCOPE.name),
  version: textField(scope, SCOPE.version),
  attributes: attributesOf(scope),
  dropped_attributes_count: intField(scope, SCOPE.droppedAttributesCount),
  schema_url: textField(scopeGroup, SCOPE_GROUP.schemaUrl),
};
