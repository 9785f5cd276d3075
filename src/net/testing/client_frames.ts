import { PREFACE } from '#src/net/http2/frames.ts';

/** Of what a client of HTTP/2 writes, handed over as it comes: each whole frame, its head included. The preface is passed over. */
export function clientFrames(onFrame: (frame: Buffer) => void): (chunk: Buffer) => void {
  let got = Buffer.alloc(0);
  let prefaced = false;
  return (chunk) => {
    got = Buffer.concat([got, chunk]);
    if (!prefaced && got.length >= PREFACE.length) {
      prefaced = true;
      got = got.subarray(PREFACE.length);
    }
    while (prefaced && got.length >= 9 && got.length >= 9 + got.readUIntBE(0, 3)) {
      const frame = got.subarray(0, 9 + got.readUIntBE(0, 3));
      got = got.subarray(frame.length);
      onFrame(frame);
    }
  };
}
