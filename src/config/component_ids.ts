/** Component ids: "type" or "type/name". Blanks around either part do not count. */

const TYPE = /^[a-zA-Z][0-9a-zA-Z_]{0,62}$/;
const MAX_NAME_LENGTH = 1024;
/** No blanks, control characters and symbols, as in the Collector. */
const NAME = /^[^\p{Z}\p{C}\p{S}]+$/u;

export interface ComponentId {
  readonly type: string;
  /** Trimmed: "otlp" or "otlp/second". */
  readonly id: string;
}

/** The parts of an id, or what is wrong with it. */
export function parseComponentId(text: string): ComponentId | { readonly fault: string } {
  const cut = text.indexOf('/');
  const type = (cut < 0 ? text : text.slice(0, cut)).trim();
  if (type === '') return { fault: `"${text}" has no type before the "/"` };
  if (!TYPE.test(type)) return { fault: `"${text}": a type begins with a letter and goes on with letters, digits and "_"` };
  if (cut < 0) return { type, id: type };
  const name = text.slice(cut + 1).trim();
  if (name === '') return { fault: `"${text}" has nothing after the "/"` };
  if (name.length > MAX_NAME_LENGTH) return { fault: `"${text.slice(0, 40)}..." has a name of more than ${MAX_NAME_LENGTH} characters` };
  if (!NAME.test(name)) return { fault: `"${text}" has a blank, a symbol or a control character in its name` };
  return { type, id: `${type}/${name}` };
}
