/**
 * re2js: RE2 in JavaScript, linear in time for every pattern, ten to a thousand times slower than V8 for most. Loaded with the first pattern that
 * needs it: it costs 4 MB, and most programs have no such pattern.
 */
import { createRequire } from 'node:module';
import type { RE2JS } from 're2js';

export type LinearPattern = RE2JS;

const load = createRequire(import.meta.url);

/** Throws an Error with Go's text. */
export function compileLinear(source: string): LinearPattern {
  const library = load('re2js') as typeof import('re2js');
  try {
    return library.RE2JS.compile(source);
  } catch (error) {
    const text = (error as Error).message;
    throw new Error(text.startsWith('error parsing regexp') ? text : `error parsing regexp: ${text}`);
  }
}
