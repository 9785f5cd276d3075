/** What the engine asks of a store. The types stand in src/core/series.ts, so that src/store can implement them without importing the engine. */
export * from '#src/core/series.ts';
