/** Names of severities by their number: TRACE is 1, FATAL4 is 24; 0 has none. */
export const SEVERITY_NAMES: readonly string[] = [
  '',
  ...['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].flatMap((name) => ['', '2', '3', '4'].map((n) => name + n)),
];
