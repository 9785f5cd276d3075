/**
 * Answers of a server as templates of frames: only the stream id is written when one is sent. An answer that the windows do not let through in whole goes
 * piece by piece.
 */
import { DATA, FLAG_END_STREAM, frame, HEADER_BYTES, headerFrames, MAX_FRAME_BYTES, NO_ERROR, resetFrame } from './frames.ts';
import { encodeStateless, type HeaderFields } from './hpack.ts';
import type { CallPlan, ServerCall } from './server_call.ts';

/** An answer as frames without its stream id, made once and sent many times. */
export class Answer {
  readonly bytes: Buffer;
  /** Where the frames begin. */
  readonly frames: readonly number[];
  /** Bytes that count for flow control. */
  readonly dataBytes: number;
  #stopping: Answer | null = null;

  constructor(bytes: Buffer, dataBytes: number) {
    this.bytes = bytes;
    this.dataBytes = dataBytes;
    const frames: number[] = [];
    for (let at = 0; at < bytes.length; at += HEADER_BYTES + bytes.readUIntBE(at, 3)) frames.push(at);
    this.frames = frames;
  }
  /** Headers, a body and trailers; without a body all is in one HEADERS frame ("trailers only" of gRPC). */
  static of(headers: HeaderFields, body: Uint8Array | null = null, trailers: HeaderFields = []): Answer {
    if (body === null) return new Answer(headerFrames(encodeStateless([...headers, ...trailers]), 0, true), 0);
    const parts = [headerFrames(encodeStateless(headers), 0, false)];
    for (let at = 0; at < body.length; at += MAX_FRAME_BYTES) {
      const last = trailers.length === 0 && at + MAX_FRAME_BYTES >= body.length;
      parts.push(frame(DATA, last ? FLAG_END_STREAM : 0, 0, body.subarray(at, at + MAX_FRAME_BYTES)));
    }
    if (trailers.length > 0) parts.push(headerFrames(encodeStateless(trailers), 0, true));
    return new Answer(Buffer.concat(parts), body.length);
  }
  /** The same for a client that still sends: behind its answer it is told that the rest is not wanted. */
  get stopping(): Answer {
    this.#stopping ??= new Answer(Buffer.concat([this.bytes, resetFrame(0, NO_ERROR)]), this.dataBytes);
    return this.#stopping;
  }
  /** Writes the answer of stream `id` to out[at, …). */
  writeTo(out: Buffer, at: number, id: number): number {
    const { bytes, frames } = this;
    bytes.copy(out, at);
    for (let i = 0; i < frames.length; i++) out.writeUInt32BE(id, at + frames[i]! + 5);
    return at + bytes.length;
  }
}

/** Answers of one turn of the event loop, for one write. */
export class AnswerQueue {
  #answers: Answer[] = [];
  #ids: number[] = [];
  #sizeBytes = 0;

  get isEmpty(): boolean {
    return this.#answers.length === 0;
  }
  add(id: number, answer: Answer): void {
    this.#answers.push(answer);
    this.#ids.push(id);
    this.#sizeBytes += answer.bytes.length;
  }
  /** All of them, and none is left. */
  take(): Buffer {
    const answers = this.#answers;
    const ids = this.#ids;
    const out = Buffer.allocUnsafe(this.#sizeBytes);
    let at = 0;
    for (let i = 0; i < answers.length; i++) at = answers[i]!.writeTo(out, at, ids[i]!);
    this.clear();
    return out;
  }
  clear(): void {
    this.#answers = [];
    this.#ids = [];
    this.#sizeBytes = 0;
  }
}

/** An answer that waits for a window, and what of it is out already. */
export class BlockedAnswer<Plan extends CallPlan> {
  readonly call: ServerCall<Plan>;
  readonly answer: Answer;
  readonly sinceMs: number;
  /** Frames that are out. */
  #sent = 0;
  /** Bytes that are out of the DATA frame that is next. */
  #sentOfFrame = 0;

  constructor(call: ServerCall<Plan>, answer: Answer, sinceMs: number) {
    this.call = call;
    this.answer = answer;
    this.sinceMs = sinceMs;
  }
  get isSent(): boolean {
    return this.#sent === this.answer.frames.length;
  }
  /** The next frame, its DATA cut to `windowBytes`; null where there is none or it has to wait. */
  next(windowBytes: number): Buffer | null {
    const { bytes, frames } = this.answer;
    if (this.isSent) return null;
    const at = frames[this.#sent]!;
    const size = bytes.readUIntBE(at, 3);
    if (bytes[at + 3] !== DATA) {
      this.#sent++;
      const whole = Buffer.from(bytes.subarray(at, at + HEADER_BYTES + size));
      whole.writeUInt32BE(this.call.id, 5);
      return whole;
    }
    const from = this.#sentOfFrame;
    const count = Math.min(size - from, windowBytes);
    if (count <= 0) return null;
    const ends = from + count === size;
    this.#sentOfFrame = ends ? 0 : from + count;
    if (ends) this.#sent++;
    const start = at + HEADER_BYTES + from;
    return frame(DATA, ends ? bytes[at + 4]! : 0, this.call.id, bytes.subarray(start, start + count));
  }
}
