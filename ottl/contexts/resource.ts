/** resource: what everything of a batch hangs on. */
import { resource, resourceGroup } from '#src/data/contexts.ts';
import { RESOURCE, RESOURCE_GROUP } from '#src/data/message_types.ts';
import { attributesOf, intField, textField } from './access.ts';
import type { PathTable } from './context.ts';

export const resourcePaths: PathTable = {
  attributes: attributesOf(resource),
  dropped_attributes_count: intField(resource, RESOURCE.droppedAttributesCount),
  schema_url: textField(resourceGroup, RESOURCE_GROUP.schemaUrl),
};
