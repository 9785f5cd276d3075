/** Functions that only transform has, and what its conditions may call. */
import type { FunctionDefinition } from '#ottl/function.ts';
import { functions } from '#ottl/functions/index.ts';
import { parseClf } from './log_functions/parse_clf.ts';
import { parseLeef } from './log_functions/parse_leef.ts';
import { aggregateOnAttributes, aggregateOnAttributeValue } from './metric_functions/aggregate.ts';
import { convertGaugeToSum, convertSumToGauge, copyMetric } from './metric_functions/convert.ts';
import {
  convertSummaryCountValToSum,
  convertSummaryQuantileValToGauge,
  convertSummarySumValToSum,
  extractCountMetric,
  extractSumMetric,
} from './metric_functions/extract.ts';
import { convertExponentialHistogramToHistogram, mergeHistogramBuckets } from './metric_functions/histograms.ts';
import { extractPercentileMetric } from './metric_functions/percentile.ts';
import { scaleMetric } from './metric_functions/scale.ts';
import { setSemconvSpanName } from './span_functions/set_semconv_span_name.ts';

export const transformFunctions: readonly FunctionDefinition[] = [
  aggregateOnAttributes,
  aggregateOnAttributeValue,
  convertExponentialHistogramToHistogram,
  convertGaugeToSum,
  convertSummaryCountValToSum,
  convertSummaryQuantileValToGauge,
  convertSummarySumValToSum,
  convertSumToGauge,
  copyMetric,
  extractCountMetric,
  extractPercentileMetric,
  extractSumMetric,
  mergeHistogramBuckets,
  parseClf,
  parseLeef,
  scaleMetric,
  setSemconvSpanName,
];

export const conditionFunctions: readonly FunctionDefinition[] = functions.filter((definition) => definition.kind === 'converter');
