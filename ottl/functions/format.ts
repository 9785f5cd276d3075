/** Go's Sprintf. */
import { sprintf } from '#ottl/formats/sprintf.ts';
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'Format',
  summary: "Puts values into a format of Go's fmt.Sprintf.",
  params: { format: p.stringLiteral, vals: p.list(p.getter) },
  examples: [
    { run: 'Format("%04d-%02d", [2024, 3])', want: '2024-03' },
    { run: 'Format("%s is %.1f%% (%v)", ["cpu", 12.34, true])', want: 'cpu is 12.3% (true)' },
    { run: 'Format("%d", ["text"])', want: '%!d(string=text)', note: 'What does not fit is said in the text.' },
    { run: 'Format("%.0f %.1f", [2.5, 0.25])', want: '2 0.2', note: 'The exact middle goes to the even digit.' },
    { run: 'Format("%5s|%-5s|%q|%x", ["a", "b", "c\\"", 255])', want: '    a|b    |"c\\""|ff' },
  ],
  create:
    ({ format, vals }) =>
    (record) =>
      sprintf(
        format,
        vals.map((value) => value.get(record)),
      ),
});
