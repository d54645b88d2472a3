import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What every thread needs. The module is compiled once, and machine code that V8 makes of it serves all threads. */
export interface Interpreter {
  readonly wasm: WebAssembly.Module;
  readonly prelude: string;
}

export async function loadInterpreter(): Promise<Interpreter> {
  const [bytes, prelude] = await Promise.all([
    readFile(require.resolve('@jitl/quickjs-wasmfile-release-sync/wasm')),
    readFile(join(__dirname, 'thread', 'prelude.js'), 'utf8'),
  ]);
  return { wasm: await WebAssembly.compile(bytes), prelude };
}
