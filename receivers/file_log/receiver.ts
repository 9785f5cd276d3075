/**
 * The receiver: looks for files, reads what is new, sends batches and keeps the places. One batch is under way at a time; while the next
 * component is busy nothing is read. A place is stored only when everything before it was accepted, so a crash repeats and never loses.
 */
import fs from 'node:fs';
import type { Consumer, CreateContext } from '#src/core/component.ts';
import { errorText, RetryableError } from '#src/core/errors.ts';
import type { Log } from '#src/core/telemetry.ts';
import { isStorage } from '#src/core/storage.ts';
import type { Batch } from '#src/core/batch.ts';
import { buildSplitter, type Config } from './config.ts';
import { EntryFactory } from './entries.ts';
import { LogBatch } from './log_batch.ts';
import { Chain } from './chain.ts';
import type { OperatorContext } from './operators/base.ts';
import { PATIENCE_MS } from './pace.ts';
import { Checkpoints } from './tail/checkpoints.ts';
import { FileFinder } from './tail/glob.ts';
import { Header } from './tail/header.ts';
import { Ordering } from './tail/ordering.ts';
import { type EntryTaker, FileReader } from './tail/reading.ts';
import type { TailedFile } from './tail/tailed_file.ts';
import { Watcher } from './tail/watcher.ts';

/** A batch goes when it has so many records or bytes: enough to make the cost of a batch small, little enough to keep memory flat. */
const MAX_RECORDS = 2048;
const MAX_BYTES = 1 << 20;
const COMPLAINT_MS = 60_000;

export class FileLogReceiver implements EntryTaker {
  readonly #context: CreateContext<Config>;
  readonly #config: Config;
  readonly #next: Consumer;
  readonly #chain: Chain;
  readonly #header: Header | null;
  readonly #batch = new LogBatch();
  readonly #entries: EntryFactory;
  readonly #watcher: Watcher;
  readonly #reader: FileReader;
  #checkpoints: Checkpoints | null = null;
  #stopping = false;
  #loop: Promise<void> = Promise.resolve();
  #wake: () => void = () => {};
  readonly hasFastLines: boolean;
  readonly hasHeader: boolean;

  constructor(context: CreateContext<Config>, next: Consumer) {
    const config = context.config,
      log = context.telemetry.log;
    this.#context = context;
    this.#config = config;
    this.#next = next;
    const operatorContext = failureLog(context);
    this.#chain = new Chain(config.operators, operatorContext);
    this.#header = config.header === undefined ? null : new Header(config.header.pattern, config.header.metadata_operators, operatorContext);
    this.hasHeader = this.#header !== null;
    const splitter = buildSplitter(config);
    this.#entries = new EntryFactory(config, this.#chain, splitter, operatorContext, this.#batch, () => context.clock.nowMs());
    this.hasFastLines = this.#entries.isFast;
    this.#watcher = new Watcher(
      new FileFinder(config.include, config.exclude),
      config.ordering_criteria === undefined ? null : new Ordering(config.ordering_criteria),
      {
        fingerprintSize: config.fingerprint_size,
        pollMs: config.poll_interval,
        maxOpenFiles: config.max_concurrent_files,
        maxPathsPerPoll: config.max_batches * Math.max(1, config.max_concurrent_files >> 1),
        excludeOlderThanMs: config.exclude_older_than,
        onTruncate: config.on_truncate as 'ignore',
        compression: config.compression,
      },
      config.start_at === 'beginning',
      log,
    );
    this.#reader = new FileReader(splitter, this, config.force_flush_period, config.max_log_size);
  }

  async start(): Promise<void> {
    const { config, host, id } = this.#context;
    if (config.storage !== '') {
      const extension = host.extension(config.storage);
      if (!isStorage(extension))
        throw new Error(
          `receivers::${id}::storage: storage extension '${config.storage}' ${extension === undefined ? 'not found' : 'cannot store'}; configure it under extensions and name it in service::extensions`,
        );
      this.#checkpoints = new Checkpoints(await extension.storageClient(`receiver:${id}`));
      this.#watcher.restore(await this.#checkpoints.load(), this.#nowMs());
    }
    this.#loop = this.#run();
  }

  async shutdown(): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true;
      this.#wake();
      await this.#loop;
      this.#chain.flush();
      this.#entries.drain();
      await this.#sendLast();
      await this.#save();
      await this.#checkpoints?.close();
      this.#checkpoints = null;
      this.#chain.close();
      this.#header?.close();
      this.#watcher.close();
    }
    await this.#loop;
  }

  #nowMs(): number {
    return this.#context.clock.nowMs();
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stopping) {
        resolve();
        return;
      }
      const cancel = this.#context.clock.after(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  async #run(): Promise<void> {
    let pause = this.#config.poll_interval;
    while (!this.#stopping) {
      await this.#sleep(pause);
      if (this.#stopping) return;
      pause = this.#config.poll_interval;
      try {
        if (await this.#poll()) pause = 0;
      } catch (error) {
        this.#context.telemetry.log.error('Reading files failed.', { error: errorText(error) });
      }
    }
  }

  /** One look at all files. True: there is more to read at once. */
  async #poll(): Promise<boolean> {
    const nowMs = this.#nowMs(),
      ready = this.#watcher.poll(nowMs);
    let more = false;
    for (const file of ready) {
      if (this.#stopping) break;
      try {
        this.#entries.openFile(file, nowMs);
        if (await this.#reader.read(file, nowMs)) more = true;
        this.#watcher.extend(file);
      } catch (error) {
        this.#complain(`read ${file.path}`, error);
        file.close();
      }
      this.#watcher.release(file);
    }
    this.#chain.tick(this.#nowMs());
    this.#entries.drain();
    if (!this.#stopping && (await this.send()) && this.#config.delete_after_read) for (const file of ready) this.#deleteIfRead(file);
    await this.#save();
    return more;
  }

  /** Only what was read to its end, and is accepted to its end. */
  #deleteIfRead(file: TailedFile): void {
    if (file.unread || file.waitingSize > 0 || file.offset === 0 || file.committed !== file.offset || file.lostMs !== 0) return;
    try {
      if (!this.#watcher.isWhole(file)) return;
      fs.unlinkSync(file.path);
      this.#watcher.drop(file);
    } catch (error) {
      this.#complain(`delete ${file.path}`, error);
    }
  }

  // ---- what the reader asks

  get isFull(): boolean {
    return this.#batch.count >= MAX_RECORDS || this.#batch.sizeBytes >= MAX_BYTES;
  }
  takeLines(file: TailedFile, bytes: Buffer, from: number, end: number, position: number): number {
    return this.#entries.takeLines(file, bytes, from, end, position, MAX_RECORDS - this.#batch.count, MAX_BYTES);
  }
  take(file: TailedFile, bytes: Buffer, start: number, end: number, position: number): void {
    this.#entries.take(file, bytes, start, end, position);
  }
  takeHeader(file: TailedFile, line: string): boolean {
    const isHeader = this.#header!.take(file, line, this.#nowMs());
    this.#entries.forget(file);
    return isHeader;
  }

  /** Offers the batch until it is taken, refused for good, or the receiver stops (false). */
  async send(): Promise<boolean> {
    const batch = this.#batch.take();
    if (batch === null) this.#batch.trim();
    else if (!(await this.#offer(batch))) return false;
    this.#commit();
    if (batch === null) return !this.#stopping;
    // At once: after a crash only the batch that was under way comes twice.
    await this.#save();
    // A turn for everybody else: what was just taken goes out while the next batch is read, and does not pile up.
    await new Promise((resolve) => setImmediate(resolve));
    await this.#keepPace();
    return !this.#stopping;
  }

  async #keepPace(): Promise<void> {
    const { pace } = this.#batch;
    while (pace.isAhead && !this.#stopping) {
      let isBack = false;
      pace.notify(() => {
        isBack = true;
        this.#wake();
      });
      await this.#sleep(PATIENCE_MS);
      pace.notify(null);
      if (!isBack) pace.widen();
    }
  }

  async #offer(batch: Batch): Promise<boolean> {
    const { retry_on_failure: retry, poll_interval: pollMs } = this.#config,
      startMs = this.#nowMs();
    let pauseMs = retry.initial_interval;
    for (;;) {
      try {
        await this.#next.consume(batch);
        this.#context.telemetry.counter('receiver_accepted_log_records', '{record}').add(batch.itemCount, { receiver: this.#context.id, transport: '' });
        return true;
      } catch (error) {
        const gaveUp = retry.enabled && retry.max_elapsed_time > 0 && this.#nowMs() - startMs > retry.max_elapsed_time;
        if (!(error instanceof RetryableError) || gaveUp) {
          this.#context.telemetry.counter('receiver_refused_log_records', '{record}').add(batch.itemCount, { receiver: this.#context.id, transport: '' });
          this.#complain('deliver', error);
          return true; // Lost and counted: the files go on.
        }
        if (this.#stopping) return false;
        await this.#sleep(Math.max(error.retryAfterMs, pauseMs, pollMs) * (0.8 + Math.random() * 0.4));
        if (this.#stopping) return false;
        pauseMs = Math.min(pauseMs * 1.5, retry.max_interval);
      }
    }
  }

  /** Everything read is accepted now, but for what operators hold back. */
  #commit(): void {
    const held = this.#entries.heldPlaces();
    for (const file of this.#watcher.files) {
      const place = Math.min(file.offset, held?.get(file.id) ?? file.offset);
      if (place === file.committed) continue;
      file.committed = place;
      file.dirty = true;
    }
  }

  /** At the end there is one try: what is not accepted is read again after the next start. */
  async #sendLast(): Promise<void> {
    const batch = this.#batch.take();
    if (batch === null) return;
    try {
      await this.#next.consume(batch);
      this.#commit();
    } catch (error) {
      this.#complain('deliver the last batch', error);
    }
  }

  async #save(): Promise<void> {
    for (const file of this.#watcher.forgotten.splice(0)) {
      this.#checkpoints?.forget(file);
      this.#entries.forget(file);
    }
    if (this.#checkpoints === null) return;
    try {
      await this.#checkpoints.save(this.#watcher.files);
    } catch (error) {
      this.#complain('store positions', error);
    }
  }

  readonly #complaints = new Map<string, number>();
  #complain(what: string, error: unknown): void {
    const nowMs = this.#nowMs();
    if (nowMs - (this.#complaints.get(what) ?? Number.NEGATIVE_INFINITY) < COMPLAINT_MS) return;
    if (this.#complaints.size > 1000) this.#complaints.clear();
    this.#complaints.set(what, nowMs);
    this.#context.telemetry.log.error(`Failed to ${what}.`, { error: errorText(error) });
  }
}

/** Counts what operators could not do, and speaks of it once a minute for each operator. */
function failureLog(context: CreateContext<Config>): OperatorContext {
  const counter = context.telemetry.counter('receiver_file_log_operator_failures', '{record}', 'Records that an operator could not handle.');
  const quietUntil = new Map<string, number>();
  const log: Log = context.telemetry.log;
  return {
    nowMs: () => context.clock.nowMs(),
    failed(operatorId, error, quiet) {
      counter.add(1, { receiver: context.id, operator: operatorId });
      if (quiet) return;
      const nowMs = context.clock.nowMs();
      if (nowMs < (quietUntil.get(operatorId) ?? 0)) return;
      quietUntil.set(operatorId, nowMs + COMPLAINT_MS);
      log.error('Failed to process a record; further failures of this operator are only counted for a minute.', {
        operator_id: operatorId,
        error: errorText(error),
      });
    },
  };
}
