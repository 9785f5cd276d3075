/** Values by a grok pattern. */
import { quoteGo } from '#src/core/go_quote.ts';
import { Grok } from '#ottl/formats/grok.ts';
import { defineConverter, p } from '#ottl/function.ts';
import { fail } from '#ottl/values.ts';

export default defineConverter({
  name: 'ExtractGrokPatterns',
  summary:
    'A map of what a grok pattern finds in a text. With named_captures_only pieces without a name are left out; pattern_definitions adds pieces ("NAME=regex").',
  params: {
    target: p.string,
    pattern: p.string,
    namedCapturesOnly: p.optional(p.boolLiteral),
    patternDefinitions: p.optional(p.list(p.stringLiteral)),
  },
  examples: [
    {
      run: 'ExtractGrokPatterns("10.0.0.7 GET 200", "%{IP:client.ip} %{WORD:method} %{INT:status:int}", true)',
      want: { 'client.ip': '10.0.0.7', method: 'GET', status: 200n },
    },
    { run: 'ExtractGrokPatterns("tern 12", "%{WORD} %{INT:n}")', want: { WORD: 'tern', n: '12' } },
    { run: 'ExtractGrokPatterns("pier-7", "%{PIER:pier}", true, ["PIER=pier-\\\\d"])', want: { pier: 'pier-7' } },
    { run: 'ExtractGrokPatterns("a b", "%{WORD:w} %{WORD:w}", true)', want: { w: 'b' }, note: 'Of equal names the last counts.' },
    { run: 'ExtractGrokPatterns("x", "%{INT:n}", true)', want: {} },
    { run: 'ExtractGrokPatterns("x", "%{NOPE:n}", true)', error: 'pattern definition "NOPE" unknown' },
    { run: 'ExtractGrokPatterns("x", "%{INT}", true)', error: 'at least 1 named capture group must be supplied in the given regex' },
    { run: 'ExtractGrokPatterns("x", "%{A:a}", true, ["A"])', error: 'has incorrect format, expecting PATTERNNAME=pattern definition' },
  ],
  create({ target, pattern, namedCapturesOnly = false, patternDefinitions = [] }) {
    const definitions = new Map<string, string>();
    patternDefinitions.forEach((definition, i) => {
      const equals = definition.indexOf('=');
      if (equals < 0) {
        const shown = definition.length > 20 ? `${definition.slice(0, 17)}...` : definition;
        fail(`pattern ${quoteGo(shown)} supplied to ExtractGrokPatterns at index ${i} has incorrect format, expecting PATTERNNAME=pattern definition`);
      }
      const name = definition.slice(0, equals);
      if (name.includes(':')) fail(`pattern ID ${quoteGo(name)} should not contain ':'`);
      definitions.set(name, definition.slice(equals + 1));
    });
    const compile = (source: string): Grok => {
      try {
        return new Grok(source, namedCapturesOnly, definitions);
      } catch (error) {
        return fail(`the regex pattern supplied to ExtractGrokPatterns '${quoteGo(source)}' is not a valid pattern: ${(error as Error).message}`);
      }
    };
    const checked = (grok: Grok): Grok =>
      namedCapturesOnly && !grok.hasNames ? fail('at least 1 named capture group must be supplied in the given regex') : grok;
    const fixed = pattern.literal ? checked(compile(pattern.literal.value)) : null;
    const recent: { source: string; grok: Grok | null } = { source: '', grok: null };
    return (record) => {
      if (fixed !== null) return fixed.extract(target.get(record));
      const source = pattern.get(record);
      if (recent.grok === null || recent.source !== source) {
        recent.grok = checked(compile(source));
        recent.source = source;
      }
      return recent.grok.extract(target.get(record));
    };
  },
});
