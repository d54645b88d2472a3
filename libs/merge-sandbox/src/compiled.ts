import type { MergeFailure } from '@meridian/core';
import type { SandboxThread } from './sandbox-thread.js';
import type { Definition } from './work.js';

export type Compiled =
  | { readonly kind: 'compiled' }
  /** `threw`: it does not parse, exports no function, or its top level threw. */
  | { readonly kind: 'refused'; readonly because: MergeFailure | 'another text'; readonly detail: string };

export async function compiledBy(thread: SandboxThread, definition: Definition): Promise<Compiled> {
  const { answers } = await thread.run([{ kind: 'define', ...definition }]);
  const answer = answers[0];
  if (answer === undefined) {
    const detail =
      'the thread that was to evaluate it has ended: its top level takes too long, or there is no room for threads';
    return { kind: 'refused', because: 'timed out', detail };
  }
  return answer.failure === null
    ? { kind: 'compiled' }
    : { kind: 'refused', because: answer.failure, detail: answer.text };
}
