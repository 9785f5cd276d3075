/** YAML that is data and not configuration: no places, no references, plain objects. */
import { parse } from 'yaml';

export function parsePlainYaml(text: string): unknown {
  return parse(text, { logLevel: 'silent' });
}
