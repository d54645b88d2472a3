export { keyOf } from './signature.js';
export { post, type Posted } from './post.js';
export { WebhookSender, type SenderEvents } from './webhook-sender.js';
export type { Webhook } from './webhook.js';
