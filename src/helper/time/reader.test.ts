import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimeError, TimeReader } from './reader.ts';
import { checkStrptime, layoutToWrite } from './strptime.ts';
import { instantOf, loadZone, zoneOf } from './zone.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const nowMs = (): number => NOW;
/** As Go's RFC 3339 with nanoseconds, in UTC. */
function textOf(reader: TimeReader): string {
  const fraction = reader.nanos === 0 ? '' : `.${String(reader.nanos).padStart(9, '0')}`;
  return new Date(reader.seconds * 1000).toISOString().replace('.000Z', `${fraction}Z`);
}

test("a text is read by Go's layout as Go reads it", () => {
  const check = (layout: string, text: string, want: string, location = 'UTC') => {
    const reader = TimeReader.ofGo(layout, { zone: loadZone(location), nowMs });
    reader.read(text);
    assert.equal(textOf(reader), want, `${text} by ${layout}`);
  };
  check('2006-01-02T15:04:05Z07:00', '2024-06-15T12:34:56+02:00', '2024-06-15T10:34:56Z');
  check('2006-01-02T15:04:05.999Z', '2024-06-15T12:34:56.123456789Z', '2024-06-15T12:34:56.123456789Z');
  check('2006-01-02 15:04:05', '2024-06-15 12:34:56,5', '2024-06-15T12:34:56.500000000Z'); // A fraction that the layout does not mention.
  check('05.000', '07.123', '2026-01-01T00:00:07.123000000Z');
  check('Jan  2 2006', 'feb 29   2024', '2024-02-29T00:00:00Z');
  check('Monday, January _2 2006', 'SATURDAY, june  1 2024', '2024-06-01T00:00:00Z');
  check('2006 002', '2024 366', '2024-12-31T00:00:00Z');
  check('3:04 PM 2006', '12:30 AM 2024', '2024-01-01T00:30:00Z');
  check('06', '69', '1969-01-01T00:00:00Z');
  check('06', '68', '2068-01-01T00:00:00Z');
  check('2006', '0099', '0099-01-01T00:00:00Z');
  check('2006-01-02', '2024-07-01', '2024-07-01T04:00:00Z', 'America/New_York');
  check('2006-01-02 15:04', '2024-03-10 02:30', '2024-03-10T06:30:00Z', 'America/New_York'); // In the gap of the change of clocks.
  check('2006-01-02 15:04 MST', '2024-07-01 00:00 EST', '2024-07-01T05:00:00Z', 'America/New_York');
  check('2006-01-02 MST', '2024-07-01 CEST', '2024-06-30T22:00:00Z', 'Europe/Paris');
  check('2006-01-02 MST', '2024-01-01 EST', '2024-01-01T05:00:00Z'); // Also the name of a place.
  check('2006-01-02 MST', '2024-01-01 GMT+3', '2024-01-01T00:00:00Z'); // Shown with the offset, but not moved by it.
  check('Jan _2 15:04:05', 'Nov 27 10:00:00', '2026-11-27T10:00:00Z'); // Less than a week ahead of 21 November.
  check('Jan _2 15:04:05', 'Nov 29 10:00:00', '2025-11-29T10:00:00Z');
});

test('a text that does not fit is told with the piece at fault', () => {
  const check = (layout: string, text: string, what: string, location = 'UTC') =>
    assert.throws(
      () => TimeReader.ofGo(layout, { zone: loadZone(location), nowMs }).read(text),
      (error: Error) => {
        assert.ok(error instanceof TimeError);
        assert.ok(error.message.endsWith(what), `${error.message}, want ${what}`);
        return true;
      },
    );
  check('2006', '24', 'parsing time "24": cannot parse "24" as "2006"');
  check('2006-01-02', '2024-13-01', 'month out of range');
  check('2006-01-02', '2023-02-29', 'day out of range');
  check('2006-002', '2023-366', 'day-of-year out of range');
  check('2006-01 002', '2024-02 001', 'day-of-year does not match month');
  check('15:04', '24:00', 'hour out of range');
  check('2006', '2024 ', 'extra text: " "');
  check('PM', 'pm', 'cannot parse "pm" as "PM"');
  check('-0700', '+25:00', 'cannot parse "+25:00" as "-0700"');
  check('2006 MST', '2024 ABC', 'unknown time zone ABC');
  check('.000', '.12', 'cannot parse ".12" as ".000"');
});

test('strptime reads numbers without their zeros, spaces before numbers and any form of an offset', () => {
  const check = (format: string, text: string, want: string) => {
    const reader = TimeReader.ofStrptime(format, { zone: zoneOf('', `${format}Z`), nowMs });
    reader.read(text);
    assert.equal(textOf(reader), want, `${text} by ${format}`);
  };
  check('%Y-%m-%d %H:%M:%S', '2024-6-5  7:8:9', '2024-06-05T07:08:09Z');
  for (const offset of ['+0200', '+02:00', '+02']) check('%Y-%m-%dT%H:%M:%S%z', `2024-06-15T12:34:56${offset}`, '2024-06-15T10:34:56Z');
  check('%Y-%m-%dT%H:%M:%S%z', '2024-06-15T12:34:56Z', '2024-06-15T12:34:56Z');
  check('%D %T', '6/5/24 1:2:3', '2024-06-05T01:02:03Z');
  check('%D', '6/5/2024', '2024-06-05T00:00:00Z');
  check('%b %e %Y %I:%M %p', 'Jun  5 2024 1:02 PM', '2024-06-05T13:02:00Z');
  check('%Y-%m-%dT%H:%M:%S.%LZ', '1970-01-01T00:00:01.5Z', '1970-01-01T00:00:01.500000000Z');
  assert.equal(layoutToWrite('%F %T.%f'), '2006-01-02 15:04:05.999999');
  assert.throws(() => checkStrptime('%S%L'), /invalid fractional seconds directive: 'S%L'/);
  assert.throws(() => checkStrptime('%Y%v %E'), /unsupported ctimefmt.toNative\(\) directive: %v unsupported ctimefmt.toNative\(\) directive: %E/);
  assert.throws(() => checkStrptime('%Y 1'), /should not contain decimals/);
});

test('the place of an abbreviation in the text wins over the configured one', () => {
  const abbreviations = new Map([['IST', loadZone('Asia/Kolkata')]]);
  const reader = TimeReader.ofStrptime('%Y-%m-%d %H:%M:%S %Z', { zone: loadZone('UTC'), abbreviations, nowMs });
  reader.read('2024-06-15 12:00:00 IST');
  assert.equal(textOf(reader), '2024-06-15T06:30:00Z');
  reader.read('2024-06-15 12:00:00 UTC');
  assert.equal(textOf(reader), '2024-06-15T12:00:00Z');
});

test('zones are those of the database, and their clocks change when they do', () => {
  assert.throws(() => loadZone('Nowhere/Land'), { message: 'failed to load location Nowhere/Land: unknown time zone Nowhere/Land' });
  assert.throws(() => loadZone('PST'), /unknown time zone PST/);
  const berlin = loadZone('Europe/Berlin'),
    summer = Date.UTC(2024, 6, 1) / 1000,
    winter = Date.UTC(2024, 0, 1) / 1000;
  assert.deepEqual([berlin.offsetAt(summer), berlin.abbreviationAt(summer)], [7200, 'CEST']);
  assert.deepEqual([berlin.offsetAt(winter), berlin.abbreviationAt(winter)], [3600, 'CET']);
  assert.equal(instantOf(winter, berlin), winter - 3600);
});
