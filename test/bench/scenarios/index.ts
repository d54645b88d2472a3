import { bulk } from './bulk.js';
import { catchUp } from './catch-up.js';
import { concurrentRows } from './concurrent-rows.js';
import { increments } from './increments.js';
import { updatesInTurn } from './in-turn.js';
import { latencies } from './latency.js';
import { localWrites } from './local-writes.js';
import { partition } from './partition.js';
import { replicatedWrites } from './replicated-writes.js';
import { restWrites } from './rest-writes.js';
import type { Scenario } from './scenario.js';

export const scenarios: readonly Scenario[] = [
  localWrites,
  ...replicatedWrites,
  partition,
  ...catchUp,
  ...latencies,
  ...increments,
  ...updatesInTurn,
  ...concurrentRows,
  restWrites,
  bulk,
];
