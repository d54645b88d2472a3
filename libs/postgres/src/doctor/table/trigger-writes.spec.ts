import { writtenNames } from './trigger-writes.js';

describe('what the text of a trigger function writes to', () => {
  it('is told by its statements, and not by its comments', () => {
    const source = `BEGIN -- INSERT INTO not_this VALUES (1)
      /* update nor_this */ insert into audit (a) values (1); UPDATE ONLY shop.items SET n = 1;
      DELETE FROM "My Schema".old; MERGE INTO totals t USING x ON true; TRUNCATE TABLE scratch; SELECT * FROM read_only; END`;
    expect(writtenNames(source)).toEqual(['audit', 'shop.items', '"My Schema".old', 'totals', 'scratch']);
  });
});
