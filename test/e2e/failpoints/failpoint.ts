import { existsSync, readFileSync, rmSync } from 'node:fs';
import type { ApplyStore, ApplyTransaction, Cut, TickStore, Transport } from '@meridian/core';

/** Every step between a commit and its acknowledgement, as `before` and `after` of a port's method. */
export const FAILPOINTS = [
  ...['changes', 'commit'].flatMap((step) => around(`cut.${step}`)),
  ...around('transport.publish'),
  ...[
    'hold',
    'read',
    'write',
    'append',
    'recordRaces',
    'recordConflicts',
    'advance',
    'takeCutLock',
    'lookAgain',
    'commit',
  ].flatMap((step) => around(`apply.${step}`)),
] as const;

function around(step: string): string[] {
  return [`${step}:before`, `${step}:after`];
}

/** Kills this process at the step that the file names; the file goes first, so that it happens once. */
export class Failpoint {
  constructor(private readonly file: string) {}

  ticks(store: TickStore): TickStore {
    return this.guarded('', store, async (method, result) =>
      method === 'openCut' ? this.guarded('cut', result as Cut) : result,
    );
  }

  apply(store: ApplyStore): ApplyStore {
    return this.guarded('', store, async (method, result) =>
      method === 'begin' ? this.guarded('apply', result as ApplyTransaction) : result,
    );
  }

  transport(transport: Transport): Transport {
    return this.guarded('transport', transport);
  }

  private guarded<T extends object>(
    part: string,
    target: T,
    wrap: (method: string, result: unknown) => Promise<unknown> = (_method, result) => Promise.resolve(result),
  ): T {
    return new Proxy(target, {
      get: (object, property) => {
        const member = Reflect.get(object, property, object) as unknown;
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          this.reached(`${part}.${String(property)}:before`);
          const result = member.apply(object, args) as unknown;
          if (!(result instanceof Promise)) return result;
          return result.then(async (value: unknown) => {
            this.reached(`${part}.${String(property)}:after`);
            return wrap(String(property), value);
          });
        };
      },
    });
  }

  private reached(step: string): void {
    if (!existsSync(this.file) || readFileSync(this.file, 'utf8') !== step) return;
    rmSync(this.file);
    process.kill(process.pid, 'SIGKILL');
  }
}
