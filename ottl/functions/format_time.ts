/** A text of a time. */
import { formatPieces, layoutPieces } from '#ottl/formats/go_time.ts';
import { checkStrptime, layoutToWrite } from '#ottl/formats/strptime.ts';
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'FormatTime',
  summary: 'The time as text in a strptime format, in its own zone.',
  params: { time: p.time, format: p.stringLiteral },
  examples: [
    {
      run: 'FormatTime(Unix(1700000000, 120000000), "%Y-%m-%dT%H:%M:%S.%LZ")',
      want: '2023-11-14T22:13:20.12Z',
      note: 'Zeros at the end of a fraction are left out.',
    },
    { run: 'FormatTime(Unix(1700000000), "%A, %e %B %y %I:%M %p")', want: 'Tuesday, 14 November 23 10:13 PM' },
    { run: 'FormatTime(Unix(0), "%Y 1")', error: 'format string should not contain decimals' },
  ],
  create({ time, format }) {
    checkStrptime(format);
    const pieces = layoutPieces(layoutToWrite(format));
    return (record) => formatPieces(time.get(record), pieces);
  },
});
