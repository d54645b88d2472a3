export { MeridianClient } from './meridian-client.js';
export { MeridianError } from './api-error.js';
export { Session } from './session.js';
export { Rows, type RowOptions } from './rows.js';
export { ConflictDesk, type Acting } from './conflict-desk.js';
