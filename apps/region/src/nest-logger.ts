import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';

/** What Nest and the API report as failed. What Nest tells of its start is nobody's concern. */
export const nestLogger = (log: Logger): LoggerService => ({
  log: () => undefined,
  warn: (message: unknown) => log.warn({ detail: message }, 'http'),
  error: (message: unknown, text?: unknown) => log.error({ detail: message }, typeof text === 'string' ? text : 'http'),
});
