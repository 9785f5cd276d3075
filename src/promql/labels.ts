/** Label sets in the engine: flat sorted lists [name, value, ...], never changed in place. */
import { quoteGo } from '#src/core/go_quote.ts';
import type { LabelList } from '#src/core/series.ts';

export const METRIC_NAME = '__name__';
export const NO_LABELS: LabelList = [];

/** '' where there is none. */
export function getLabel(labels: LabelList, name: string): string {
  for (let i = 0; i < labels.length; i += 2) if (labels[i] === name) return labels[i + 1]!;
  return '';
}

/** With the label set, or taken away where the value is empty. */
export function withLabel(labels: LabelList, name: string, value: string): LabelList {
  const out: string[] = [];
  let placed = value === '';
  for (let i = 0; i < labels.length; i += 2) {
    const own = labels[i]!;
    if (own === name) continue;
    if (!placed && own > name) {
      out.push(name, value);
      placed = true;
    }
    out.push(own, labels[i + 1]!);
  }
  if (!placed) out.push(name, value);
  return out;
}

const METADATA_LABELS = new Set([METRIC_NAME, '__type__', '__unit__']);

/** What most operations drop: the metric's name, and with it what said of which type and unit it was. The same object where there is none. */
export function dropName(labels: LabelList): LabelList {
  let first = -1;
  let found = 0;
  for (let i = 0; i < labels.length; i += 2) {
    const name = labels[i]!;
    if (name.charCodeAt(0) !== 95 || !METADATA_LABELS.has(name)) continue; // _
    if (found++ === 0) first = i;
  }
  if (found === 0) return labels;
  // Mostly the name alone, in front of all others: the copy has its size at once.
  return found === 1 && first === 0 ? labels.slice(2) : keepLabels(labels, (name) => !METADATA_LABELS.has(name));
}

export function keepLabels(labels: LabelList, keep: (name: string) => boolean): LabelList {
  const out: string[] = [];
  for (let i = 0; i < labels.length; i += 2) if (keep(labels[i]!)) out.push(labels[i]!, labels[i + 1]!);
  return out;
}

/** One string per label set. U+FFFF is no character, so it does not occur in labels that are text. */
export function labelsKey(labels: LabelList): string {
  return labels.join('\uffff');
}

export function compareLabels(a: LabelList, b: LabelList): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  return a.length - b.length;
}

export function isValidLabelName(name: string): boolean {
  return name !== '' && name.isWellFormed();
}

/** {__name__="up", job="x"}, as errors show it. */
export function formatLabels(labels: LabelList): string {
  const parts: string[] = [];
  for (let i = 0; i < labels.length; i += 2) {
    const name = labels[i]!;
    parts.push(`${/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? name : quoteGo(name)}=${quoteGo(labels[i + 1]!)}`);
  }
  return `{${parts.join(', ')}}`;
}
