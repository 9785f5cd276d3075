/** The operators there are: type, keys of the configuration, how one is built. */
import { z } from 'zod';
import type { Operator, OperatorContext } from './base.ts';
import { transformerKeys } from './base.ts';
import { Container, containerKeys } from './container.ts';
import { Output, outputKeys } from './output.ts';
import { parserKeys } from './parser.ts';
import { Recombine, recombineKeys } from './recombine.ts';
import { SyslogParser, syslogKeys } from './syslog.ts';
import {
  CsvParser,
  csvKeys,
  JsonArrayParser,
  JsonParser,
  jsonArrayKeys,
  jsonKeys,
  KeyValueParser,
  keyValueKeys,
  RegexParser,
  regexKeys,
  UriParser,
} from './text_parsers.ts';
import {
  Add,
  AssignKeys,
  addKeys,
  assignKeysKeys,
  BlockOperator,
  Copy,
  copyKeys,
  Filter,
  Flatten,
  filterKeys,
  flattenKeys,
  Noop,
  RegexReplace,
  Remove,
  Retain,
  Router,
  regexReplaceKeys,
  removeKeys,
  retainKeys,
  routerKeys,
  scopeNameParserKeys,
  severityParserKeys,
  TextChange,
  timeParserKeys,
  traceParserKeys,
  unquoteKeys,
} from './transformers.ts';

export interface OperatorDefinition {
  readonly schema: z.ZodType;
  build(config: unknown, context: OperatorContext): Operator;
}

function operator<Shape extends z.ZodRawShape>(
  keys: Shape,
  make: new (config: z.output<z.ZodObject<Shape>>, context: OperatorContext) => Operator,
): OperatorDefinition {
  // Unknown keys are let through: the Collector does not check them inside operators.
  return { schema: z.object(keys), build: (config, context) => new make(config as z.output<z.ZodObject<Shape>>, context) };
}

export const OPERATORS: Readonly<Record<string, OperatorDefinition>> = {
  add: operator(addKeys, Add),
  assign_keys: operator(assignKeysKeys, AssignKeys),
  container: operator(containerKeys, Container),
  copy: operator(copyKeys, Copy),
  csv_parser: operator(csvKeys, CsvParser),
  file_output: operator(outputKeys, Output),
  filter: operator(filterKeys, Filter),
  flatten: operator(flattenKeys, Flatten),
  json_array_parser: operator(jsonArrayKeys, JsonArrayParser),
  json_parser: operator(jsonKeys, JsonParser),
  key_value_parser: operator(keyValueKeys, KeyValueParser),
  move: operator(copyKeys, Copy),
  noop: operator(transformerKeys, Noop),
  recombine: operator(recombineKeys, Recombine),
  regex_parser: operator(regexKeys, RegexParser),
  regex_replace: operator(regexReplaceKeys, RegexReplace),
  remove: operator(removeKeys, Remove),
  retain: operator(retainKeys, Retain),
  router: operator(routerKeys, Router),
  sanitize_utf8: operator(unquoteKeys, TextChange),
  scope_name_parser: operator(scopeNameParserKeys, BlockOperator),
  severity_parser: operator(severityParserKeys, BlockOperator),
  stdout: operator(outputKeys, Output),
  syslog_parser: operator(syslogKeys, SyslogParser),
  time_parser: operator(timeParserKeys, BlockOperator),
  trace_parser: operator(traceParserKeys, BlockOperator),
  unquote: operator(unquoteKeys, TextChange),
  uri_parser: operator(parserKeys, UriParser),
};
