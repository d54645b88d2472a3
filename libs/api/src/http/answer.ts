import type { FastifyReply } from 'fastify';

/** What a service answers; bodies are text that PostgreSQL wrote or JSON.stringify did. */
export interface Answer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

export const JSON_TYPE = 'application/json; charset=utf-8';

/** Sends text as it is: no serializer, no second look at the values. */
export function send(reply: FastifyReply, answer: Answer): void {
  reply.code(answer.status).headers(answer.headers);
  if (answer.body === '') void reply.send();
  else void reply.type(JSON_TYPE).send(answer.body);
}
