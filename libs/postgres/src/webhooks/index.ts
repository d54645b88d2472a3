export { PgWebhookStore } from './pg-webhook-store.js';
