import type { Session } from '../connection/session.js';

/** Parked rows whose key a local insert took. To be asked before the log forgets that insert. */
export async function forgetOvertaken(session: Session): Promise<void> {
  await session.query('DELETE FROM meridian.parked p WHERE meridian.is_overtaken(p)', [], 'forget_overtaken');
}
