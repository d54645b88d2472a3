import { Client } from 'pg';
import type { Server } from './servers.js';

/** The harness's own connections are the superuser's; load and services come as `app`. */
export async function connect(server: Server, database: string): Promise<Client> {
  const client = new Client({ connectionString: server.url(database) });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

export async function withClient<T>(
  server: Server,
  database: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await connect(server, database);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
