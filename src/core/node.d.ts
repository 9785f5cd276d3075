// Methods that Node's Buffer has had since its beginning and that @types/node leaves out: without the checks and the encoding's name of
// toString() and write(), they are what hot paths call. (`import {}` is not needed: this file only declares.)
interface Buffer {
  latin1Slice(start?: number, end?: number): string;
  utf8Slice(start?: number, end?: number): string;
  latin1Write(text: string, offset?: number, length?: number): number;
  utf8Write(text: string, offset?: number, length?: number): number;
}
