import type { Client } from 'pg';
import type { Table } from '../schema.js';
import type { Server, ServerPool } from '../servers.js';

export type CandidateName = 'raw' | 'native' | 'meridian';

export interface Region {
  readonly name: string;
  readonly index: number;
  readonly server: Server;
  readonly database: string;
  /** The harness's own connection, a superuser's. */
  readonly db: Client;
}

export interface Setting {
  readonly regions: number;
  readonly tables: readonly Table[];
  /** Counter columns, for candidates that know counters. */
  readonly counters?: Readonly<Partial<Record<Table, readonly string[]>>>;
  /** The links between regions can be cut. Meridian's then pass a proxy of the harness, so never in timed scenarios. */
  readonly cuttable?: boolean;
  /** By region index: seconds by which its server's and its service's clock is wrong. */
  readonly clocks?: Readonly<Record<number, number>>;
}

/** One candidate on fresh databases, replicating (raw: not) all that the setting names, between all its regions. */
export interface Leg {
  readonly candidate: CandidateName;
  readonly regions: readonly Region[];
  /** Service processes, besides PostgreSQL's own. */
  readonly servicePids: () => readonly number[];
  readonly cut: () => Promise<void>;
  readonly heal: () => Promise<void>;
  /** Stops taking in what the others write. */
  readonly stopReceiving: (region: number) => Promise<void>;
  /** Resolves when it takes in changes again: with the moment (Date.now()) from which catching up is timed. */
  readonly startReceiving: (region: number) => Promise<number>;
  /** Conflicts that the candidate reported, of the whole cluster. */
  readonly conflicts: () => Promise<number>;
  /** Where one region's REST interface is, for candidates that have one. */
  readonly rest: (region: number) => string | undefined;
  readonly stop: () => Promise<void>;
}

export interface Candidate {
  readonly name: CandidateName;
  readonly start: (pool: ServerPool, setting: Setting) => Promise<Leg>;
}

export const REGION_NAMES = ['us', 'eu', 'ap'] as const;
