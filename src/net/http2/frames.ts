/** HTTP/2 frames (RFC 9113, sections 4, 6 and 7): numbers of the format and the small frames as bytes. Reading is in connection.ts. */

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
export const HEADER_BYTES = 9;
/** The size every peer takes; we never allow more, and send no more where we are allowed. */
export const MAX_FRAME_BYTES = 16384;
export const DEFAULT_WINDOW = 65535;
export const MAX_WINDOW = 0x7fffffff;

export const DATA = 0,
  HEADERS = 1,
  PRIORITY = 2,
  RST_STREAM = 3,
  SETTINGS = 4,
  PUSH_PROMISE = 5,
  PING = 6,
  GOAWAY = 7,
  WINDOW_UPDATE = 8,
  CONTINUATION = 9;
export const FLAG_END_STREAM = 1,
  FLAG_ACK = 1,
  FLAG_END_HEADERS = 4,
  FLAG_PADDED = 8,
  FLAG_PRIORITY = 32;
export const SETTINGS_HEADER_TABLE_SIZE = 1,
  SETTINGS_ENABLE_PUSH = 2,
  SETTINGS_MAX_CONCURRENT_STREAMS = 3,
  SETTINGS_INITIAL_WINDOW_SIZE = 4,
  SETTINGS_MAX_FRAME_SIZE = 5,
  SETTINGS_MAX_HEADER_LIST_SIZE = 6;
export const NO_ERROR = 0,
  PROTOCOL_ERROR = 1,
  INTERNAL_ERROR = 2,
  FLOW_CONTROL_ERROR = 3,
  STREAM_CLOSED = 5,
  FRAME_SIZE_ERROR = 6,
  REFUSED_STREAM = 7,
  CANCEL = 8,
  COMPRESSION_ERROR = 9,
  ENHANCE_YOUR_CALM = 11;

const ERROR_NAMES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];
export function errorName(code: number): string {
  return ERROR_NAMES[code] ?? `error ${code}`;
}

export function writeFrameHeader(out: Buffer, at: number, size: number, type: number, flags: number, id: number): void {
  out[at] = size >>> 16;
  out[at + 1] = size >>> 8;
  out[at + 2] = size;
  out[at + 3] = type;
  out[at + 4] = flags;
  out.writeUInt32BE(id, at + 5);
}
export function frame(type: number, flags: number, id: number, payload: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  writeFrameHeader(out, 0, payload.length, type, flags, id);
  out.set(payload, HEADER_BYTES);
  return out;
}
/** HEADERS, and CONTINUATION frames where the block needs them. */
export function headerFrames(block: Uint8Array, id: number, endStream: boolean): Buffer {
  const end = endStream ? FLAG_END_STREAM : 0;
  if (block.length <= MAX_FRAME_BYTES) return frame(HEADERS, FLAG_END_HEADERS | end, id, block);
  const frames = [frame(HEADERS, end, id, block.subarray(0, MAX_FRAME_BYTES))];
  for (let at = MAX_FRAME_BYTES; at < block.length; at += MAX_FRAME_BYTES) {
    const last = at + MAX_FRAME_BYTES >= block.length;
    frames.push(frame(CONTINUATION, last ? FLAG_END_HEADERS : 0, id, block.subarray(at, at + MAX_FRAME_BYTES)));
  }
  return Buffer.concat(frames);
}
export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.allocUnsafe(settings.length * 6);
  for (const [i, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  }
  return frame(SETTINGS, 0, 0, payload);
}
export const SETTINGS_ACK = frame(SETTINGS, FLAG_ACK, 0, Buffer.alloc(0));
function word(value: number): Buffer {
  const out = Buffer.allocUnsafe(4);
  out.writeUInt32BE(value);
  return out;
}
export function windowUpdateFrame(id: number, increment: number): Buffer {
  return frame(WINDOW_UPDATE, 0, id, word(increment));
}
export function resetFrame(id: number, code: number): Buffer {
  return frame(RST_STREAM, 0, id, word(code));
}
export function pingFrame(ack: boolean, payload: Uint8Array): Buffer {
  return frame(PING, ack ? FLAG_ACK : 0, 0, payload);
}
export function goAwayFrame(lastId: number, code: number, text = ''): Buffer {
  return frame(GOAWAY, 0, 0, Buffer.concat([word(lastId), word(code), Buffer.from(text, 'latin1')]));
}

/** Ends the connection: the other side gets GOAWAY with this code. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: number;
  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
