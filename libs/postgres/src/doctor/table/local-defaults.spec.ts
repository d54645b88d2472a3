import { asksFor } from './local-defaults.js';

describe('what a default asks its server for', () => {
  it.each([
    [`current_setting('app.region'::text)`, 'current_setting'],
    [`inet_server_addr()`, 'inet_server_addr'],
    ['CURRENT_USER', 'CURRENT_USER'],
    ['pg_current_xact_id()', 'pg_current_xact_id'],
    [`'current_user'::text`, null],
    ['now()', null],
    ['gen_random_uuid()', null],
    ['conversion_rate()', null],
  ])('of %s: %s', (expression, asked) => expect(asksFor(expression)).toBe(asked));
});
