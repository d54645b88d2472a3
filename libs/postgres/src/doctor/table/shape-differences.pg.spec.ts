import { type TestRegion, testRegion } from '../../region.builder.js';
import { Doctor } from '../doctor.js';
import { shapeDifferences } from './shape-differences.js';
import type { TableFinding } from './table-finding.js';

describe('a table in two regions', () => {
  let us: TestRegion;
  let eu: TestRegion;
  beforeAll(async () => {
    [us, eu] = await Promise.all([testRegion('us'), testRegion('eu')]);
    for (const { user } of [us, eu])
      await user.query(`CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`);
  });
  afterAll(() => Promise.all([us.close(), eu.close()]));
  afterEach(() => Promise.all([us, eu].map(({ user }) => user.query('DROP TABLE IF EXISTS t, p'))));

  const shapeOf = async ({ url, region, applyUrl }: TestRegion) => {
    const options = { url, region, applyRole: new URL(applyUrl).username, replicaRole: true, peers: [] };
    return (await new Doctor(options).shapeOf({ schema: 'public', name: 't' }))!;
  };
  const differences = async (): Promise<TableFinding[]> =>
    shapeDifferences({ region: us.region, shape: await shapeOf(us) }, { region: eu.region, shape: await shapeOf(eu) });
  const make = async (here: string, there: string): Promise<void> => {
    await us.user.query(`CREATE TABLE t (${here})`);
    await eu.user.query(`CREATE TABLE t (${there})`);
  };

  it('has no differences but in names', async () => {
    await make('id int PRIMARY KEY, a text UNIQUE, b int CHECK (b > 0)', 'b int, id int, a text');
    await eu.user.query(`ALTER TABLE t ADD CONSTRAINT other PRIMARY KEY (id), ADD CONSTRAINT positive CHECK (b > 0);
      CREATE UNIQUE INDEX somehow ON t (a)`);
    expect(await differences()).toEqual([]);
  });

  const KEY = 'id int PRIMARY KEY';
  it.each([
    ['columns_differ', 'error', `${KEY}, "N 1" text NOT NULL DEFAULT 'x'`, KEY],
    ['columns_differ', 'error', KEY, `${KEY}, "N 1" text`],
    ['columns_differ', 'error', `${KEY}, n bigint`, `${KEY}, n int`],
    ['columns_differ', 'error', `${KEY}, n int`, `${KEY}, n text`],
    ['columns_differ', 'error', `${KEY}, n int NOT NULL`, `${KEY}, n int`],
    ['columns_differ', 'error', `${KEY}, n int`, `${KEY}, n int NOT NULL`],
    ['defaults_differ', 'warning', `${KEY}, n text DEFAULT 'a''b'`, `${KEY}, n text DEFAULT 'eu'`],
    ['defaults_differ', 'warning', `${KEY}, n text`, `${KEY}, n text DEFAULT 'eu'`],
    ['generated_columns_differ', 'error', genOf('n + 1'), genOf('n + 2')],
    ['generated_columns_differ', 'error', genOf('n + 1'), `${KEY}, n int, g int`],
    ['generated_columns_differ', 'error', `${KEY}, n int, g int`, genOf('n + 2')],
    ['columns_differ', 'error', genOf('n + 1'), `${KEY}, n int`],
    ['constraints_differ', 'error', `${KEY}, n int CHECK (n > 0)`, `${KEY}, n int CHECK (n > 1)`],
    ['constraints_differ', 'error', KEY, 'id int NOT NULL'],
    ['constraints_differ', 'error', `${KEY}, n int UNIQUE`, `${KEY}, n int`],
    ['constraints_differ', 'error', `${KEY}, n int REFERENCES t ON DELETE CASCADE`, `${KEY}, n int REFERENCES t`],
  ] as const)('has %s (%s): %s, and %s', async (code, severity, here, there) => {
    await make(here, there);
    await isCured(code, severity);
  });

  async function isCured(code: string, severity: string): Promise<void> {
    const before = await differences();
    expect(before.length).toBeGreaterThan(0);
    for (const found of before) {
      expect(found).toMatchObject({ code, severity, subject: expect.stringMatching(/ in eu$/) as string });
      for (const statement of found.cure.sql!) await eu.user.query(statement);
    }
    expect(await differences()).toEqual([]);
  }

  it('has a unique index of one region made, and dropped', async () => {
    await make(`${KEY}, n int, m int`, `${KEY}, n int, m int`);
    await us.user.query('CREATE UNIQUE INDEX "I n" ON t (n)');
    await eu.user.query('CREATE UNIQUE INDEX "I m" ON t (m)');
    await isCured('constraints_differ', 'error');
  });

  it('has triggers that are not alike', async () => {
    await make(KEY, KEY);
    await us.user.query(
      'CREATE TRIGGER "a b" BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE t ENABLE REPLICA TRIGGER "a b"',
    );
    await eu.user.query(
      'CREATE TRIGGER c BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f(); CREATE TRIGGER "a b" BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION f()',
    );
    await isCured('triggers_differ', 'warning');
  });

  it('has sequences that come to the same numbers by steps of their own', async () => {
    const stepped = 'id bigint GENERATED ALWAYS AS IDENTITY (INCREMENT BY 50) PRIMARY KEY';
    await make(stepped, stepped);
    const [found] = await differences();
    expect(found).toMatchObject({ code: 'key_sequences_meet', severity: 'error' });
    for (const { user } of [us, eu]) for (const statement of found!.cure.sql!) await user.query(statement);
    expect(await differences()).toEqual([]);
  });

  it('is enrolled in one of them alone', async () => {
    await make(KEY, KEY);
    await us.enrol('SELECT 1', 't');
    expect(await differences()).toMatchObject([{ code: 'enrolled_differently', severity: 'error' }]);
    await eu.enrol('SELECT 1', 't');
    expect(await differences()).toEqual([]);
  });
});

function genOf(expression: string): string {
  return `id int PRIMARY KEY, n int, g int GENERATED ALWAYS AS (${expression}) STORED`;
}
