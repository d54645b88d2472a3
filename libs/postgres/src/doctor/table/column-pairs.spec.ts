import { columnPairs } from './column-pairs.js';

describe('columns that belong together by their names', () => {
  it.each([
    ['amount currency', 'amount+currency'],
    ['price_amount price_currency tax_amount', 'price_amount+price_currency'],
    ['lat lng', 'lat+lng'],
    ['home_latitude work_longitude home_longitude', 'home_latitude+home_longitude'],
    ['start_at end_at', 'start_at+end_at'],
    ['starts_on ends_on', 'starts_on+ends_on'],
    ['booking_start booking_end', 'booking_start+booking_end'],
    ['start_date end_time', ''],
    ['valid_from valid_until', 'valid_from+valid_until'],
    ['min_price max_price', 'min_price+max_price'],
    ['startAt endAt', 'startAt+endAt'],
    ['commentable_type commentable_id', 'commentable_type+commentable_id'],
    ['type id', ''],
    ['password_hash password_salt', 'password_hash+password_salt'],
    ['width height', 'width+height'],
    ['name note currency_note', ''],
    ['amount price currency', 'amount+currency price+currency'],
  ])('of %s: %s', (columns, pairs) => {
    const found = columnPairs(columns.split(' ')).map((pair) => pair.join('+'));
    expect(found.join(' ')).toBe(pairs);
  });
});
