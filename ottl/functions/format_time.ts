/** A text of a time. */
import { formatSteps } from '#ottl/formats/go_time.ts';
import { defineConverter, p } from '#ottl/function.ts';
import { fail, orFail } from '#ottl/values.ts';
import { parseLayout } from '#src/helper/time/layout.ts';
import { checkStrptime, layoutToWrite } from '#src/helper/time/strptime.ts';

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
    if (format === '') fail('format cannot be nil');
    orFail(() => checkStrptime(format));
    const steps = parseLayout(layoutToWrite(format));
    return (record) => formatSteps(time.get(record), steps);
  },
});
