/** Sum to gauge, gauge to sum, and copies of metrics. */
import { defineEditor, p } from '#ottl/function.ts';
import { fail } from '#ottl/values.ts';
import { addMetric, readMetric, writeMetric } from './metric_object.ts';

const TEMPORALITIES: Readonly<Record<string, number>> = { delta: 1, cumulative: 2 };
export function temporalityOf(name: string): number {
  return Object.hasOwn(TEMPORALITIES, name) ? TEMPORALITIES[name]! : fail(`unknown aggregation temporality: ${name}`);
}

export const convertSumToGauge = defineEditor({
  name: 'convert_sum_to_gauge',
  summary: 'Makes a gauge of a sum; other metrics stay.',
  params: {},
  contexts: ['metric'],
  examples: [],
  create: () => () => {
    const { sum, ...rest } = readMetric();
    if (sum) writeMetric({ ...rest, gauge: { dataPoints: sum.dataPoints ?? [] } });
  },
});

export const convertGaugeToSum = defineEditor({
  name: 'convert_gauge_to_sum',
  summary: 'Makes a sum of a gauge, "delta" or "cumulative"; other metrics stay.',
  params: { stringAggTemp: p.stringLiteral, monotonic: p.boolLiteral },
  contexts: ['metric'],
  examples: [],
  create({ stringAggTemp, monotonic }) {
    const aggregationTemporality = temporalityOf(stringAggTemp);
    return () => {
      const { gauge, ...rest } = readMetric();
      if (gauge) writeMetric({ ...rest, sum: { dataPoints: gauge.dataPoints ?? [], aggregationTemporality, isMonotonic: monotonic } });
    };
  },
});

export const copyMetric = defineEditor({
  name: 'copy_metric',
  summary: 'Adds a copy of the metric to its scope, with another name, description or unit.',
  params: { name: p.optional(p.string), description: p.optional(p.string), unit: p.optional(p.string) },
  contexts: ['metric'],
  examples: [],
  create({ name, description, unit }) {
    return (record) => {
      const copy = readMetric();
      // Also where an argument fails the copy is there, with what was set before; as in the Collector.
      try {
        if (name) copy.name = name.get(record);
        if (description) copy.description = description.get(record);
        if (unit) copy.unit = unit.get(record);
      } finally {
        addMetric(copy);
      }
    };
  },
});
