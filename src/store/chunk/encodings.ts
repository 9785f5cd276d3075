/** Chunk encodings of Prometheus, by their byte on disk. Start-timestamp encodings (XOR2 and the ST histograms, 4 to 6) are not read. */
export const ENCODING_XOR = 1;
export const ENCODING_HISTOGRAM = 2;
export const ENCODING_FLOAT_HISTOGRAM = 3;
