export { memoryLimiterSchema as configSchema } from '#src/helper/memory_limiter/config.ts';
