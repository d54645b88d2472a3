import type { Finding, Webhook } from '@meridian/contract';

/** From when on something that waits is worth telling: a receiver that restarts is back before that. */
const LONG_MS = 300_000;

export const webhookFindings = (webhooks: readonly Webhook[], nowMs = Date.now()): readonly Finding[] =>
  webhooks.flatMap((webhook) => findingOf(webhook, nowMs));

function findingOf({ name, to, state, detail, waiting, oldestWaiting, failed }: Webhook, nowMs: number): Finding[] {
  const told = { about: `webhook ${name}`, detail: `${to}: ${detail}` };
  const cure = `meridian webhooks test ${name}, once its receiver is mended; then meridian webhooks resume ${name}`;
  if (state === 'stopped') return [{ severity: 'error', code: 'webhook_stopped', ...told, cure }];
  if (failed > 0) return [{ severity: 'error', code: 'webhook_failed', ...told, cure }];
  const sinceMs = oldestWaiting === null ? 0 : nowMs - Date.parse(oldestWaiting);
  if (state !== 'failing' || sinceMs < LONG_MS) return [];
  const behind = `${waiting} wait, for ${Math.round(sinceMs / 60_000)} minutes`;
  return [{ severity: 'warning', code: 'webhook_behind', about: told.about, detail: `${told.detail} (${behind})`, cure }];
}
