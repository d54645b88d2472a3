import { keyOf, signatureOf } from './signature.js';

describe('the signature', () => {
  // Of the specification's own libraries (standard-webhooks/standard-webhooks).
  const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const OTHER = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const sign = (...secrets: string[]) =>
    signatureOf(secrets.map(keyOf), 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, '{"test": 2432232314}');

  it("is that of Standard Webhooks' test vector", () => {
    expect(sign(SECRET)).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('is one for each secret, so that a receiver may change to the next', () => {
    expect(sign(OTHER, SECRET).split(' ')).toEqual([sign(OTHER), sign(SECRET)]);
  });
});
