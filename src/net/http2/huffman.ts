/**
 * The Huffman code of HPACK (RFC 7541, appendix B), decoding only: what we send is written plain, since our own headers go out once a
 * connection and are an index afterwards. The code is canonical, so the lengths are all there is to write down. Decoding walks a machine
 * that eats four bits a step; a code has five at least, so a step gives one byte at most.
 */
import { CorruptError } from '#src/core/errors.ts';

// Length of the code of each byte 0 to 255, one base-36 digit each. The end-of-string code, thirty ones, follows as symbol 256.
const LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f56565666577666567655677777fbeds' +
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq';
const EOS = 256;

const NO_SYMBOL = -1;
const FAIL = -2;
/** For state * 16 + nibble: the state after it, and the byte it completes. */
const NEXT = new Int16Array(256 * 16);
const EMIT = new Int16Array(256 * 16).fill(NO_SYMBOL);
/** Whether input may end here: after at most seven bits of padding, all ones. */
const MAY_END = new Uint8Array(256);
build();

function build(): void {
  // The tree: two children for each inner node, >= 0 an inner node, < 0 the leaf of symbol -1 - child.
  const children = new Int16Array(2 * 256);
  let nodes = 1;
  const symbols = Array.from({ length: 257 }, (_, symbol) => symbol);
  const length = (symbol: number): number => (symbol === EOS ? 30 : Number.parseInt(LENGTHS[symbol]!, 36));
  symbols.sort((a, b) => length(a) - length(b) || a - b);
  let code = -1;
  let width = length(symbols[0]!);
  for (const symbol of symbols) {
    code = (code + 1) * 2 ** (length(symbol) - width);
    width = length(symbol);
    let node = 0;
    for (let bit = width - 1; bit >= 0; bit--) {
      const slot = node * 2 + (Math.floor(code / 2 ** bit) & 1);
      if (bit === 0) children[slot] = -1 - symbol;
      else {
        if (children[slot] === 0) children[slot] = nodes++;
        node = children[slot]!;
      }
    }
  }
  for (let state = 0; state < nodes; state++) {
    for (let nibble = 0; nibble < 16; nibble++) {
      let node = state;
      for (let bit = 3; bit >= 0; bit--) {
        const child = children[node * 2 + ((nibble >> bit) & 1)]!;
        node = Math.max(child, 0);
        if (child < 0) EMIT[state * 16 + nibble] = child === -1 - EOS ? FAIL : -1 - child;
      }
      NEXT[state * 16 + nibble] = node;
    }
  }
  let node = 0;
  for (let padding = 0; padding < 8; padding++) {
    MAY_END[node] = 1;
    node = children[node * 2 + 1]!;
  }
}

/** The text in bytes[pos, end), each byte one character. CorruptError on a code that ends early, wrong padding or the end-of-string code. */
export function decodeHuffman(bytes: Uint8Array, pos: number, end: number): string {
  // The shortest code has five bits.
  const out = Buffer.allocUnsafe(Math.floor(((end - pos) * 8) / 5));
  let at = 0;
  let state = 0;
  for (let i = pos; i < end; i++) {
    const byte = bytes[i]!;
    for (let step = (state << 4) | (byte >> 4), half = 0; half < 2; half++) {
      const symbol = EMIT[step]!;
      if (symbol >= 0) out[at++] = symbol;
      else if (symbol === FAIL) throw new CorruptError('the end-of-string code inside a Huffman string');
      state = NEXT[step]!;
      step = (state << 4) | (byte & 15);
    }
  }
  if (MAY_END[state] === 0) throw new CorruptError('a Huffman string ends with wrong padding');
  return out.latin1Slice(0, at);
}
