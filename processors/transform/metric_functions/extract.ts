/** Sums, counts and quantiles of distributions as metrics of their own. */
import { defineEditor, p } from '#ottl/function.ts';
import { fail } from '#ottl/values.ts';
import { position } from '#src/data/contexts.ts';
import { METRIC, TEMPORALITY } from '#src/data/message_types.ts';
import { temporalityOf } from './convert.ts';
import { addMetric, double, jsonDouble, kindOf, type Metric, type Point, pointLike, pointsOf, readMetric, typeText } from './metric_object.ts';

function temporalityOfDistribution(metric: Metric): number {
  const kind = kindOf(metric);
  if (kind === 'histogram' || kind === 'exponentialHistogram') return metric[kind]!.aggregationTemporality ?? 0;
  return kind === 'summary' ? TEMPORALITY.cumulative : 0;
}

function extractor(name: string, suffixDefault: string, value: (point: Point, metric: Metric) => Point | null, unit: (metric: Metric) => string | undefined) {
  return defineEditor({
    name,
    summary: `Adds the ${suffixDefault.slice(1)} of a histogram, exponential histogram or summary as a sum of its own.`,
    params: { monotonic: p.boolLiteral, suffix: p.optional(p.stringLiteral) },
    contexts: ['metric'],
    examples: [],
    create({ monotonic, suffix = suffixDefault }) {
      return () => {
        const metric = readMetric();
        const aggregationTemporality = temporalityOfDistribution(metric);
        if (aggregationTemporality === 0) fail(`${name} requires an input metric of type Histogram, ExponentialHistogram or Summary, got ${typeText(metric)}`);
        const dataPoints = pointsOf(metric).flatMap((point) => value(point, metric) ?? []);
        if (dataPoints.length > 0) addMetric(derived(metric, suffix, unit(metric), { sum: { dataPoints, aggregationTemporality, isMonotonic: monotonic } }));
      };
    },
  });
}
function derived(metric: Metric, suffix: string, unit: string | undefined, data: Partial<Metric>): Metric {
  return { name: `${metric.name ?? ''}${suffix}`, description: metric.description ?? '', unit: unit ?? '', ...data };
}

const sumPoint = (point: Point, metric: Metric): Point | null =>
  point.sum === undefined && kindOf(metric) !== 'summary' ? null : pointLike(point, { asDouble: point.sum ?? 0 });
const countPoint = (point: Point): Point => pointLike(point, { asInt: String(BigInt.asIntN(64, BigInt(point.count ?? '0'))) });

export const extractSumMetric = extractor('extract_sum_metric', '_sum', sumPoint, (metric) => metric.unit);
export const extractCountMetric = extractor('extract_count_metric', '_count', countPoint, () => '1');

function summaryConverter(name: string, suffixDefault: string, value: (point: Point) => Point) {
  return defineEditor({
    name,
    summary: `Adds the ${suffixDefault.slice(1)} of a summary as a sum of its own; other metrics stay.`,
    params: { stringAggTemp: p.stringLiteral, monotonic: p.boolLiteral, suffix: p.optional(p.stringLiteral) },
    contexts: ['datapoint'],
    examples: [],
    create({ stringAggTemp, monotonic, suffix = suffixDefault }) {
      const aggregationTemporality = temporalityOf(stringAggTemp);
      return () => {
        if (position.metricKind !== METRIC.summary) return;
        const metric = readMetric();
        addMetric(derived(metric, suffix, metric.unit, { sum: { dataPoints: pointsOf(metric).map(value), aggregationTemporality, isMonotonic: monotonic } }));
      };
    },
  });
}
export const convertSummarySumValToSum = summaryConverter('convert_summary_sum_val_to_sum', '_sum', (point) => pointLike(point, { asDouble: point.sum ?? 0 }));
export const convertSummaryCountValToSum = summaryConverter('convert_summary_count_val_to_sum', '_count', countPoint);

export const convertSummaryQuantileValToGauge = defineEditor({
  name: 'convert_summary_quantile_val_to_gauge',
  summary: 'Adds the quantiles of a summary as a gauge of its own, the quantile as an attribute; other metrics stay.',
  params: { attributeKey: p.optional(p.stringLiteral), suffix: p.optional(p.stringLiteral) },
  contexts: ['metric'],
  examples: [],
  create({ attributeKey = 'quantile', suffix = '.quantiles' }) {
    return () => {
      const metric = readMetric();
      if (kindOf(metric) !== 'summary') return;
      const dataPoints = pointsOf(metric).flatMap((point) =>
        (point.quantileValues ?? []).map(({ quantile, value }) => {
          const made = pointLike(point, { asDouble: value ?? 0 });
          const attribute = { key: attributeKey, value: { doubleValue: jsonDouble(double(quantile)) } };
          made.attributes = [...(made.attributes ?? []).filter(({ key }) => key !== attributeKey), attribute];
          return made;
        }),
      );
      addMetric(derived(metric, suffix, metric.unit, { gauge: { dataPoints } }));
    };
  },
});
