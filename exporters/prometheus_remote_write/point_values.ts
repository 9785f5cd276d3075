/**
 * The values of one data point, in the order in which pointSeries (translate.ts) names their series: of a histogram sum, count, buckets and the
 * bucket +Inf, of a summary sum, count and quantiles. Each value is two words, because a number may lose the payload of a NaN.
 */
import { Cursor } from '#src/data/cursor.ts';
import { hasNoRecordedValue } from '#src/data/data_point.ts';
import { HISTOGRAM_POINT, METRIC, NUMBER_POINT, QUANTILE, QUANTILE_TYPE, SUMMARY_POINT } from '#src/data/message_types.ts';
import { STALE_HIGH, STALE_LOW } from '#src/helper/prometheus/translate.ts';

const F = new Float64Array(1),
  W = new Uint32Array(F.buffer);
const quantile = new Cursor(QUANTILE_TYPE);

export class PointValues {
  count = 0;
  words = new Uint32Array(64);

  /** Reads the point; not for exponential histograms, whose one value is a message. */
  read(point: Cursor, kind: number): void {
    this.count = 0;
    if (kind === METRIC.gauge || kind === METRIC.sum) this.#readNumber(point);
    else if (kind === METRIC.histogram) this.#readHistogram(point);
    else this.#readSummary(point);
  }

  #readNumber(point: Cursor): void {
    if (hasNoRecordedValue(point, METRIC.sum)) return this.#push(STALE_LOW, STALE_HIGH);
    const double = point.has(NUMBER_POINT.asDouble),
      int = point.has(NUMBER_POINT.asInt);
    if (int && (!double || point.contentStart(NUMBER_POINT.asInt) > point.contentStart(NUMBER_POINT.asDouble)))
      this.#pushNumber((point.high(NUMBER_POINT.asInt) | 0) * 4294967296 + point.low(NUMBER_POINT.asInt));
    else this.#push(point.low(NUMBER_POINT.asDouble), point.high(NUMBER_POINT.asDouble));
  }

  #readHistogram(point: Cursor): void {
    const stale = hasNoRecordedValue(point, METRIC.histogram),
      { view } = point.space;
    const count = point.high(HISTOGRAM_POINT.count) * 4294967296 + point.low(HISTOGRAM_POINT.count);
    if (point.has(HISTOGRAM_POINT.sum)) this.#push(point.low(HISTOGRAM_POINT.sum), point.high(HISTOGRAM_POINT.sum));
    this.#pushNumber(count);
    const bounds = point.doubles(HISTOGRAM_POINT.explicitBounds),
      counts = point.fixed64Offsets(HISTOGRAM_POINT.bucketCounts);
    let sum = 0;
    for (let i = 0; i < bounds.length && i < counts.length; i++) {
      sum += view.getUint32(counts[i]! + 4, true) * 4294967296 + view.getUint32(counts[i]!, true);
      this.#pushNumber(sum);
    }
    this.#pushNumber(count);
    if (stale) this.#makeStale();
  }

  #readSummary(point: Cursor): void {
    this.#push(point.low(SUMMARY_POINT.sum), point.high(SUMMARY_POINT.sum));
    this.#pushNumber(point.high(SUMMARY_POINT.count) * 4294967296 + point.low(SUMMARY_POINT.count));
    quantile.space = point.space;
    for (let more = point.firstChild(SUMMARY_POINT.quantileValues, quantile); more; more = point.nextChild(SUMMARY_POINT.quantileValues, quantile))
      this.#push(quantile.low(QUANTILE.value), quantile.high(QUANTILE.value));
    if (hasNoRecordedValue(point, METRIC.summary)) this.#makeStale();
  }

  #makeStale(): void {
    for (let i = 0; i < this.count; i++) {
      this.words[2 * i] = STALE_LOW;
      this.words[2 * i + 1] = STALE_HIGH;
    }
  }
  #pushNumber(value: number): void {
    F[0] = value;
    this.#push(W[0]!, W[1]!);
  }
  #push(low: number, high: number): void {
    if (2 * this.count === this.words.length) {
      const grown = new Uint32Array(this.words.length * 2);
      grown.set(this.words);
      this.words = grown;
    }
    this.words[2 * this.count] = low;
    this.words[2 * this.count + 1] = high;
    this.count++;
  }
}
