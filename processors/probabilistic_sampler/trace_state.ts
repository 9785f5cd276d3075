/**
 * The tracestate of a span as far as sampling is concerned: the member "ot" with its fields rv (randomness) and th (threshold). Everything else is
 * kept and written behind it. What breaks the rules of W3C or of "ot" is no trace state at all.
 */
import { Bits56 } from './bits56.ts';

const MAX_LENGTH = 1024;
const MAX_MEMBERS = 32;
const MAX_OT_LENGTH = 256;
const KEY = /^(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})$/;
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const OT_FIELD = /^([a-z][a-z0-9]*):([a-zA-Z0-9._-]*)$/;

export class TraceState {
  readonly randomness = new Bits56();
  readonly threshold = new Bits56();
  hasRandomness = false;
  hasThreshold = false;
  /** As it was written: its zeros may differ from ours. */
  #thresholdText = '';
  #otFields = '';
  #members = '';

  /** False: not a trace state; nothing of it counts then. */
  parse(text: string): boolean {
    this.hasRandomness = this.hasThreshold = false;
    this.#otFields = this.#members = '';
    if (text === '') return true;
    if (text.length > MAX_LENGTH) return false;
    const members = text.split(',');
    if (members.length >= MAX_MEMBERS) return false;
    for (const written of members) {
      const member = written.replace(/^[ \t]+|[ \t]+$/g, '');
      if (member === '') continue;
      const equals = member.indexOf('='),
        key = member.slice(0, Math.max(equals, 0)),
        value = member.slice(equals + 1);
      if (!KEY.test(key) || !VALUE.test(value)) return false;
      if (key === 'ot') {
        if (!this.#parseOt(value)) return false;
      } else this.#members += `,${member}`;
    }
    return true;
  }
  #parseOt(text: string): boolean {
    if (text.length > MAX_OT_LENGTH) return false;
    this.hasRandomness = this.hasThreshold = false;
    this.#otFields = '';
    for (const field of text.split(';')) {
      const match = OT_FIELD.exec(field);
      if (match === null) return false;
      const [, key, value] = match as unknown as [string, string, string];
      if (key === 'rv') {
        if (value.length !== 14 || !this.randomness.parse(value)) return false;
        this.hasRandomness = true;
      } else if (key === 'th') {
        if (!this.threshold.parse(value)) return false;
        this.hasThreshold = true;
        this.#thresholdText = value;
      } else this.#otFields += `;${field}`;
    }
    return true;
  }

  setRandomness(value: Readonly<Bits56>): void {
    this.randomness.set(value);
    this.hasRandomness = true;
  }
  setThreshold(value: Readonly<Bits56>): void {
    this.threshold.set(value);
    this.hasThreshold = true;
    this.#thresholdText = value.thresholdText();
  }
  text(): string {
    const ot = `${this.hasRandomness ? `;rv:${this.randomness.digits()}` : ''}${this.hasThreshold ? `;th:${this.#thresholdText}` : ''}${this.#otFields}`;
    return ot === '' ? this.#members.slice(1) : `ot=${ot.slice(1)}${this.#members}`;
  }
}
