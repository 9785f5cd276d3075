/**
 * Log files through kill -9: files grow, are renamed and cut while the program reads, dies and starts again. Nothing is lost, and what comes twice is at most what
 * was under way at a kill.
 */
import assert from 'node:assert/strict';
import { appendFileSync, renameSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { Stage, until } from '#test/stage.ts';
import { grpcSink, type Mood } from './intact_sink.ts';

const MOODS: readonly Mood[] = ['takes', 'slow', 'refuses', 'takes'];
/** Records of a batch of the receiver; one is under way at a time. */
const BATCH = 2048;

/** Writes numbered lines as a container runtime does, and rotates. */
class Writer {
  next = 1;
  readonly #folder: string;
  #rotated = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }
  get file(): string {
    return join(this.#folder, 'app.log');
  }

  write(count: number): void {
    let text = '';
    for (const end = this.next + count; this.next < end; this.next++) {
      const record = `#${this.next} ${String.fromCharCode(97 + (this.next % 26)).repeat(1 + (this.next % 200))}`;
      text += `2026-11-21T10:00:00.${String(this.next % 1e9).padStart(9, '0')}Z stdout F ${record} ${crc32(record).toString(16).padStart(8, '0')};\n`;
    }
    // In two pieces, so that lines are seen in part.
    const middle = text.length >> 1;
    appendFileSync(this.file, text.slice(0, middle));
    appendFileSync(this.file, text.slice(middle));
  }
  rename(): void {
    renameSync(this.file, `${this.file}.${++this.#rotated}`);
  }
  /** For a file that was read to its end: what is cut off unread nobody can read. */
  truncate(): void {
    truncateSync(this.file, 0);
  }
}

test('no line is lost and few come twice when the program is killed while files grow, are renamed and cut', async (t) => {
  const stage = new Stage(t),
    sink = await grpcSink(),
    writer = new Writer(stage.folder);
  t.after(() => sink.close());
  const config = `
extensions: {file_storage: {directory: "${stage.folder}"}}
receivers:
  file_log:
    include: ["${writer.file}*"]
    start_at: beginning
    storage: file_storage
    poll_interval: 20ms
    retry_on_failure: {enabled: true, initial_interval: 20ms, max_interval: 100ms, max_elapsed_time: 0s}
    operators: [{type: container, add_metadata_from_filepath: false}]
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:${sink.port}
    tls: {insecure: true}
    timeout: 60s
    retry_on_failure: {enabled: false}
    sending_queue: {enabled: false}
service:
  telemetry: {metrics: {level: none}}
  extensions: [file_storage]
  pipelines: {logs: {receivers: [file_log], exporters: [otlp_grpc]}}`;
  const written = (): number[] => Array.from({ length: writer.next - 1 }, (_, i) => i + 1);
  const allCame = (): boolean => sink.took.counts.size === writer.next - 1;

  writer.write(500);
  for (const mood of MOODS) {
    sink.mood = mood;
    const program = await stage.penstock(config);
    const { size } = sink.took.counts;
    for (let i = 0; i < 20; i++) {
      writer.write(200);
      if (i === 7) writer.rename();
      await sleep(5);
    }
    if (mood !== 'refuses') await until('lines of this round', () => sink.took.counts.size > size, { program });
    await sleep(Math.random() * 100);
    await program.stop('SIGKILL');
    // A rotation that nobody sees.
    writer.write(300);
    writer.rename();
    writer.write(50);
  }
  sink.mood = 'takes';
  const program = await stage.penstock(config);
  await until('all lines', allCame, { program });
  writer.truncate();
  writer.write(400);
  await until('the lines after the cut', allCame, { program });
  assert.equal(await program.stop(), 0);

  assert.deepEqual(sink.took.missing(written()), []);
  assert.deepEqual(sink.took.damaged, []);
  const repeated = [...sink.took.counts.values()].reduce((sum, count) => sum + count - 1, 0);
  t.diagnostic(`${writer.next - 1} lines, ${repeated} came twice`);
  assert.ok(repeated <= MOODS.length * BATCH, `${repeated} of ${writer.next - 1} lines came twice`);
});

test('what was delivered before a restart is not read again', async (t) => {
  const stage = new Stage(t),
    sink = await grpcSink(),
    writer = new Writer(stage.folder);
  t.after(() => sink.close());
  const config = `
extensions: {file_storage: {directory: "${stage.folder}"}}
receivers: {file_log: {include: ["${writer.file}*"], start_at: beginning, storage: file_storage, poll_interval: 20ms}}
exporters: {otlp_grpc: {endpoint: "127.0.0.1:${sink.port}", tls: {insecure: true}}}
service:
  telemetry: {metrics: {level: none}}
  extensions: [file_storage]
  pipelines: {logs: {receivers: [file_log], exporters: [otlp_grpc]}}`;
  for (let round = 0; round < 2; round++) {
    writer.write(3000);
    const program = await stage.penstock(config);
    await until('all lines', () => sink.took.counts.size === writer.next - 1, { program });
    assert.equal(await program.stop(), 0);
    writer.rename();
  }
  assert.deepEqual(sink.took.repeated(), []);
  assert.deepEqual(sink.took.damaged, []);
});
