export { MemoryFeedBus } from './memory-feed-bus.js';
export { MemoryRateLimiter } from './memory-rate-limiter.js';
export { RedisFeedBus, type RedisFeedBusOptions } from './redis-feed-bus.js';
export { RedisRateLimiter, type RedisRateLimiterOptions } from './redis-rate-limiter.js';
