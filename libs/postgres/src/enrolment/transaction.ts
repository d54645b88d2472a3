import type { ClientBase } from 'pg';

/** With an empty search path, so that the catalog spells types out and nothing of a user's is found by a bare name. */
export const BEGIN = `BEGIN; SET LOCAL search_path = ''`;

export async function inTransaction<T>(client: ClientBase, work: () => Promise<T>): Promise<T> {
  await client.query(BEGIN);
  try {
    const result = await work();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}
