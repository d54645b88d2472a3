import { Client } from 'pg';
import { templateDatabase } from './template-database';

describe('templateDatabase', () => {
  it('gives databases that do not see each other, from one preparation', async () => {
    let preparations = 0;
    const prepare = async (url: string): Promise<void> => {
      preparations += 1;
      await query(url, 'CREATE TABLE item (id int)');
    };
    const [one, two] = await Promise.all([templateDatabase('twins', prepare), templateDatabase('twins', prepare)]);
    await query(one.url, 'INSERT INTO item VALUES (1)');
    expect(await query(two.url, 'SELECT * FROM item')).toEqual([]);
    expect(preparations).toBe(1);
    await Promise.all([one.drop(), two.drop()]);
    await expect(query(one.url, 'SELECT 1')).rejects.toThrow(/does not exist/);
  });
});

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<object>(sql)).rows;
  } finally {
    await client.end();
  }
}
