/** Multiplies the values of a metric, for a change of unit. */
import { defineEditor, p } from '#ottl/function.ts';
import { fail, floatToInt } from '#ottl/values.ts';
import { double, type Exemplar, type JsonDouble, jsonDouble, kindOf, pointsOf, readMetric, typeText, writeMetric } from './metric_object.ts';

export const scaleMetric = defineEditor({
  name: 'scale_metric',
  summary: 'Multiplies all values, bounds and quantiles of a metric; ints are cut. Not for exponential histograms.',
  params: { multiplier: p.floatLiteral, unit: p.optional(p.string) },
  contexts: ['metric'],
  examples: [],
  create({ multiplier, unit }) {
    const scaled = (value: JsonDouble): JsonDouble => jsonDouble(double(value) * multiplier);
    const scaleNumber = (of: Exemplar): void => {
      if (of.asInt !== undefined) of.asInt = String(floatToInt(Number(of.asInt) * multiplier));
      else if (of.asDouble !== undefined) of.asDouble = scaled(of.asDouble);
    };
    return (record) => {
      const text = unit?.get(record);
      const metric = readMetric();
      const kind = kindOf(metric);
      if (kind === undefined) fail(`unsupported metric type: '${typeText(metric)}'`);
      if (kind === 'exponentialHistogram') fail("exponential histograms are not supported by the 'scale_metric' function");
      for (const point of pointsOf(metric)) {
        if (kind === 'gauge' || kind === 'sum') {
          scaleNumber(point);
          continue;
        }
        if (point.sum !== undefined) point.sum = scaled(point.sum);
        for (const quantile of point.quantileValues ?? []) quantile.value = scaled(quantile.value ?? 0);
        if (point.min !== undefined) point.min = scaled(point.min);
        if (point.max !== undefined) point.max = scaled(point.max);
        if (point.explicitBounds) point.explicitBounds = point.explicitBounds.map(scaled);
        for (const exemplar of point.exemplars ?? []) scaleNumber(exemplar);
      }
      if (text !== undefined) metric.unit = text;
      writeMetric(metric);
    };
  },
});
