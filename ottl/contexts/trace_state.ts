/** W3C trace state, as far as a key of it is read and written: a list that does not follow the rules reads as nil and is left as it is. */
const KEY = /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})$/;
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const MAX_MEMBERS = 32;

function parse(text: string): [key: string, value: string][] | undefined {
  const members: [string, string][] = [];
  if (text === '') return members;
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const member = part.replace(/^[ \t]+|[ \t]+$/g, '');
    const at = member.indexOf('=');
    const key = member.slice(0, at);
    const value = member.slice(at + 1);
    if (at < 0 || !KEY.test(key) || !VALUE.test(value) || members.some(([other]) => other === key)) return undefined;
    members.push([key, value]);
    if (members.length > MAX_MEMBERS) return undefined;
  }
  return members;
}

/** '' where there is no such key, null where the text is no trace state. */
export function getTraceState(text: string, key: string): string | null {
  const members = parse(text);
  return members === undefined ? null : (members.find(([name]) => name === key)?.[1] ?? '');
}
/** The text with the key set, in front; undefined: leave it. */
export function setTraceState(text: string, key: string, value: string): string | undefined {
  const members = parse(text);
  if (members === undefined || !KEY.test(key) || !VALUE.test(value)) return undefined;
  const rest = members.filter(([name]) => name !== key);
  if (rest.length >= MAX_MEMBERS) rest.length = MAX_MEMBERS - 1;
  return [[key, value], ...rest].map(([name, content]) => `${name}=${content}`).join(',');
}
