/** strptime directives as steps of a TimeLayout. Numbers may come without their leading zeros. */
import { goSteps, type Step, type StepKind } from './time_layout.ts';

const DIRECTIVES: Readonly<Record<string, StepKind | readonly string[]>> = {
  Y: 'year',
  y: 'year2or4',
  m: 'month',
  o: 'month',
  q: 'month',
  b: 'monthName',
  h: 'monthName',
  B: 'monthLong',
  d: 'day',
  e: 'day_',
  g: 'day',
  a: 'weekday',
  A: 'weekdayLong',
  H: 'hour',
  I: 'hour12',
  l: 'hour12',
  p: 'AMPM',
  P: 'AMPM',
  M: 'minute',
  S: 'second',
  Z: 'zone',
  z: 'offsetAny',
  D: ['%m/%d/%y'],
  x: ['%m/%d/%y'],
  F: ['%Y-%m-%d'],
  T: ['%H:%M:%S'],
  X: ['%H:%M:%S'],
  r: ['%I:%M:%S %p'],
  R: ['%H:%M'],
  c: ['%a %b %e %H:%M:%S %Y'],
  v: ['%e-%b-%Y'],
  n: ['\n'],
  t: ['\t'],
  '%': ['%%'],
};
const OFFSETS: Readonly<Record<string, string>> = { i: '-07', j: '-07:00', k: '-07:00:00', w: '-070000' };

/** Throws an Error that names the directive which is unknown or misplaced. */
export function strptimeSteps(layout: string): Step[] {
  const steps: Step[] = [];
  let prefix = '';
  const walk = (text: string): void => {
    for (let i = 0; i < text.length; i++) {
      if (text[i] !== '%') {
        prefix += text[i];
        continue;
      }
      const letter = text[++i] ?? '',
        known = Object.hasOwn(DIRECTIVES, letter) ? DIRECTIVES[letter]! : undefined;
      if (letter === 'L' || letter === 'f' || letter === 's') {
        const before = prefix.slice(-1);
        if (before !== '.' && before !== ',')
          throw new Error(`invalid strptime layout: invalid fractional seconds directive: '${before}%${letter}'. must be preceded with '.' or ','`);
        steps.push({ prefix: prefix.slice(0, -1), kind: 'fraction9', detail: '' });
        prefix = '';
      } else if (letter === '%') prefix += '%';
      else if (Object.hasOwn(OFFSETS, letter)) {
        steps.push({ prefix, kind: 'offset', detail: OFFSETS[letter]! });
        prefix = '';
      } else if (known === undefined) throw new Error(`invalid strptime layout: invalid strptime format: unsupported directive: %${letter}`);
      else if (typeof known !== 'string') {
        if (known[0]!.startsWith('%')) walk(known[0]!);
        else prefix += known[0]!;
      } else {
        steps.push({ prefix, kind: known, detail: '' });
        prefix = '';
      }
    }
  };
  walk(layout);
  if (prefix !== '') steps.push({ prefix, kind: null, detail: '' });
  return steps;
}

export function hasZoneName(steps: readonly Step[]): boolean {
  return steps.some((step) => step.kind === 'zone');
}

/** Steps of a layout of either kind. */
export function layoutSteps(layout: string, type: 'strptime' | 'gotime'): Step[] {
  return type === 'gotime' ? goSteps(layout) : strptimeSteps(layout);
}
