/** REST's settings, in the units that the names say. */
export interface ApiOptions {
  readonly cluster: string;
  readonly region: string;
  /** All regions of the cluster, this one included: tokens that name another are refused. */
  readonly regions: readonly string[];
  readonly version: string;
  readonly bodyLimitBytes: number;
  /** How long a read waits for its session token, or for the staleness it asks for. */
  readonly sessionWaitMs: number;
  /** More rows than this need a limit and an offset. */
  readonly maxRows: number;
  /** How long a client may take to send its request; the answer to slow senders. */
  readonly requestTimeoutMs: number;
}

export const API_PORTS = Symbol('ApiPorts');
export const API_OPTIONS = Symbol('ApiOptions');
