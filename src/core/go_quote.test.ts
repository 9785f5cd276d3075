import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quoteGo } from './go_quote.ts';

test("texts are quoted as Go's strconv does", () => {
  const check = (text: string, want: string, quote?: string, ascii?: boolean) => assert.equal(quoteGo(text, quote, ascii), want);
  check('a "b" \\ \'c\'', '"a \\"b\\" \\\\ \'c\'"');
  check('\x07\b\f\n\r\t\v\0\x1b\x7f', '"\\a\\b\\f\\n\\r\\t\\v\\x00\\x1b\\x7f"');
  check('é日😀', '"é日😀"');
  check('\u200b\u{e0001}', '"\\u200b\\U000e0001"');
  check('é😀', '"\\u00e9\\U0001f600"', '"', true);
  check("'", "'\\''", "'");
  check('\udcff', '"\\xff"');
});
