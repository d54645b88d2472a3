import type { Conflict, PolicyPreview } from '@meridian/contract';
import { TestCluster, until } from './cluster.js';
import { seeded } from './increments.js';
import { Acknowledged } from './shop/acknowledged.js';
import { ConcurrentNames } from './shop/concurrent-names.js';
import { conflictsIn } from './shop/conflict-list.js';
import { CARTS, CONTENTS, CUSTOMER_POLICY, openShop, PRODUCTS, STOCK } from './shop/shop-tables.js';
import { Shoppers } from './shop/shoppers.js';

const SEED = Number(process.env.MERIDIAN_SHOP_SEED ?? Date.now() % 1_000_000);
/** Of each of the shop's five spells: together, without eu, together, without us, together. */
const SPELL_MS = Number(process.env.MERIDIAN_SHOP_SPELL_MS ?? 3_000);

jest.setTimeout(240_000);

describe(`a shop in three regions, through two partitions (writers' seed: MERIDIAN_SHOP_SEED=${SEED})`, () => {
  let cluster: TestCluster;
  const acknowledged = new Acknowledged();
  const contents: Record<string, unknown>[][] = [];
  let conflicts: readonly Conflict[];

  beforeAll(async () => {
    cluster = await TestCluster.start(['us', 'eu', 'ap'], 23_000);
    await openShop(cluster);
    const shoppers = cluster.names.map((name, i) => new Shoppers(cluster, name, seeded(SEED + i), acknowledged));
    for (const each of shoppers) each.start();
    for (const isolated of [null, 'eu', null, 'us', null]) {
      if (isolated === null) cluster.local.heal();
      else cluster.local.isolate(isolated);
      await new Promise((resolve) => setTimeout(resolve, SPELL_MS));
    }
    await Promise.all(shoppers.map((each) => each.sendHome()));
  });
  afterAll(() => cluster?.stop());

  it('ends with equal regions and equal lists of conflicts (I2)', async () => {
    await closed();
    conflicts = await equalConflicts();
    for (const query of CONTENTS) contents.push(await cluster.equal(query));
    expect(acknowledged.count).toBeGreaterThan(300);
    expect(conflicts.length).toBeGreaterThan(10);
  });

  it('loses no increment of the stock (I7)', () => {
    const expected = PRODUCTS.map((id) => ({ id, stock: String(STOCK + acknowledged.stock.get(id)!) }));
    expect(table(0).map(({ id, stock }) => ({ id, stock }))).toEqual(expected);
  });

  it('loses no item of a cart, and brings none back that was taken out', () => {
    const expected = CARTS.map((id) => ({ id, items: [...acknowledged.cartItems.get(id)!].sort() }));
    const carts = table(1).filter(({ id }) => CARTS.includes(id as string));
    expect(carts.map(({ id, items }) => ({ id, items: [...(items as string[])].sort() }))).toEqual(expected);
  });

  it('has of each column of a profile a value that somebody wrote, and every other last one in the list, with its reason (I3)', () => {
    const lost = new Map(conflicts.filter(isOpenOf('public.customers')).flatMap(lostValues));
    for (const [register] of acknowledged.profiles) {
      const [customer, column] = register.split(' ') as [string, string];
      const stands = table(2).find((row) => row['id'] === customer)![column] as string;
      const last = acknowledged.lastOf(register);
      expect(last).toContain(stands);
      expect(lost.has(`${register} ${stands}`)).toBe(false);
      for (const value of last.filter((v) => v !== stands))
        expect({ register, value, why: lost.get(`${register} ${value}`) }).toEqual({
          ...{ register, value, why: expect.stringMatching(/write won: /) },
        });
    }
  });

  it('gives an address to one customer, and has the others parked and in the list (I3)', () => {
    const shown = new Map(table(2).map((row) => [row['id'] as string, row['email'] as string]));
    const parked = new Map(
      conflicts
        .filter(isOpenOf('public.customers'))
        .filter(isInsert)
        .map((c) => [c.key[0]!, c]),
    );
    for (const [id, email] of acknowledged.signUps) {
      const where = [shown.get(id) === email, parked.has(id)];
      expect({ id, where }).toEqual({ id, where: shown.has(id) ? [true, false] : [false, true] });
      expect([...shown.values()]).toContain(email);
    }
    expect(parked.size).toBeGreaterThan(0);
    for (const { reason } of parked.values()) expect(reason).toMatch(/\w/);
  });

  it('has every order whole, or whole in the list with the customer that it waits for (I3, I4)', () => {
    const lines = new Map<string, number>();
    for (const { order_id: id } of table(4)) lines.set(id as string, (lines.get(id as string) ?? 0) + 1);
    const parkedOf = (name: string) =>
      conflicts
        .filter(isOpenOf(name))
        .filter((c) => c.kind === 'foreign_key_missing')
        .map((c) => c.key[0]!);
    const parked = parkedOf('public.orders');
    for (const id of parked) lines.set(id, parkedOf('public.order_items').filter((order) => order === id).length);
    const orders = new Set([...table(3).map((row) => row['id'] as string), ...parked]);
    expect([...orders].sort()).toEqual([...acknowledged.orders.keys()].sort());
    expect([...lines].sort()).toEqual([...acknowledged.orders].sort());
  });

  it('undoes a bad decision with one call', async () => {
    const bad = conflicts.filter(isOpenOf('public.customers')).find((c) => c.overwritten[0]!.columns[0] === 'name')!;
    const { lost } = bad.overwritten[0]!;
    const answer = await cluster.rest('ap', 'POST', `/v1/conflicts/${bad.id}/undo`, {}, { 'meridian-actor': 'ann' });
    expect([answer.status, ((await answer.json()) as Conflict).status]).toEqual([200, 'resolved']);
    await cluster.equal(
      `SELECT name FROM customers WHERE id = '${bad.key[0]}'`,
      ([row]) => row!['name'] === lost['name'],
    );
    await until(async () => {
      const seen = await Promise.all(cluster.names.map((name) => cluster.rest(name, 'GET', `/v1/conflicts/${bad.id}`)));
      const all = (await Promise.all(seen.map((one) => one.json()))) as Conflict[];
      return all.every((c) => c.status === 'resolved' && c.decision?.by === 'ann');
    }, 'the decision is everywhere');
  });

  it('previews what another policy then does to the same writes', async () => {
    const policy = {
      columns: { ...CUSTOMER_POLICY.columns, name: { policy: 'region-priority', regions: ['eu', 'us'] } },
    };
    const names = new ConcurrentNames(cluster);
    await names.prepare();
    const since = new Date().toISOString();
    const before = await names.write();
    const recorded = () => conflictsIn(cluster, 'ap', `&table=public.customers&since=${since}`);
    await until(async () => (await recorded()).length === ConcurrentNames.ROWS, 'one record for each pair of writes');
    const answer = await cluster.rest('ap', 'POST', '/v1/policies:preview', {
      table: 'public.customers',
      policy,
      since,
    });
    const preview = (await answer.json()) as PolicyPreview;
    expect(preview).toMatchObject({ looked: ConcurrentNames.ROWS, same: 6, different: 6, notReplayed: 0 });
    const predicted = new Map(preview.items.map(({ key, other }) => [key[0]!, other!['name']!]));
    await cluster.enrol('public.customers', policy);
    expect(await names.write()).toEqual(new Map([...before, ...predicted]));
  });

  const table = (i: number) => contents[i]!;

  /** Each region closes the shop, and all read that the others have: whatever was written before is there, and decided. */
  async function closed(): Promise<void> {
    for (const region of cluster.names) {
      const closing = await cluster.rest(region, 'POST', '/v1/data/carts', { id: `closed in ${region}` });
      const token = { 'meridian-session': closing.headers.get('meridian-session')! };
      for (const reader of cluster.names)
        await until(
          async () => (await cluster.rest(reader, 'GET', '/v1/data/carts?limit=1', undefined, token)).ok,
          `${reader} has what ${region} wrote`,
        );
    }
  }

  /** Records commit with the decisions they tell of, and then travel like any row. */
  async function equalConflicts(): Promise<Conflict[]> {
    let lists: Conflict[][] = [];
    await until(async () => {
      lists = await Promise.all(cluster.names.map((name) => conflictsIn(cluster, name)));
      return lists.every((list) => JSON.stringify(list.map(told)) === JSON.stringify(lists[0]!.map(told)));
    }, 'the lists of conflicts are equal');
    return lists[0]!;
  }
});

const told = ({ id, version, status, kind, key, loser, overwritten, result, reason }: Conflict) => ({
  ...{ id, version, status, kind, key, loser, overwritten, result, reason },
});

const isOpenOf =
  (name: string) =>
  ({ table, status }: Conflict): boolean =>
    table === name && status === 'open';

const isInsert = ({ loser }: Conflict): boolean => loser.op === 'insert';

/** By customer, column and value: why it is not there. */
const lostValues = ({ key, overwritten }: Conflict): [string, string][] =>
  overwritten.flatMap(({ columns, lost, reason }) =>
    columns.map((column): [string, string] => [`${key[0]} ${column} ${lost[column]}`, reason]),
  );
