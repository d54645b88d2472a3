import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { type Answer, type Answers, ENDED, SENT, STARTED, type Task, type ThreadSetup } from './messages.js';
import { Realm, type RealmAnswer } from './realm.js';

/** What is lost when the watchdog ends this thread, and done again by the next one, is no more than this and one call. */
const KEPT_BACK_MILLIS = 2;

const setup = workerData as ThreadSetup;
const progress = new Int32Array(setup.progress);
const { port } = setup;

void Realm.open(setup).then((realm) => {
  warmUp(realm);
  parentPort!.postMessage('ready');
  serve(realm);
});

/** Until the thread is ended: nothing else is to happen in it. */
function serve(realm: Realm): never {
  for (let taken = 0; ; taken++) {
    Atomics.wait(progress, SENT, taken);
    run(realm, receiveMessageOnPort(port)!.message as readonly Task[]);
  }
}

/** A thread that takes over from one that was ended does so cold otherwise, and others wait for that, too. */
function warmUp(realm: Realm): void {
  realm.define(0, 'export default (base, [{ values }]) => ({ ...values })');
  for (let i = 0; i < 10; i++) realm.call(0, '{"base":null,"versions":[{"values":{"v":"1"}}],"context":{}}', '["v"]');
  realm.forget(0);
}

function run(realm: Realm, tasks: readonly Task[]): void {
  let answers: Answer[] = [];
  let last = performance.now();
  const send = (ended: boolean): void => {
    port.postMessage({ answers, ended } satisfies Answers);
    answers = [];
  };
  for (const task of tasks) {
    const answer = timed(realm, task);
    answers.push(answer);
    const now = performance.now();
    if (now - last < KEPT_BACK_MILLIS) continue;
    last = now;
    send(false);
  }
  send(true);
  Atomics.add(progress, ENDED, 1);
  Atomics.notify(progress, ENDED);
}

function timed(realm: Realm, task: Task): Answer {
  Atomics.add(progress, STARTED, 1);
  const start = performance.now();
  const answer = answered(realm, task);
  return { ...answer, micros: (performance.now() - start) * 1000 };
}

function answered(realm: Realm, task: Task): RealmAnswer {
  switch (task.kind) {
    case 'define':
      return realm.define(task.id, task.source);
    case 'call':
      return realm.call(task.id, task.input, task.columns);
    case 'forget':
      return realm.forget(task.id);
  }
}
