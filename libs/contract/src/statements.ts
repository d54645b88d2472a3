import { z } from 'zod';

export const Statements = z.array(z.string()).describe('SQL, to be run as it is, one statement after the other');
