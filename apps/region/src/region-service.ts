import type { ApiOptions, ApiPorts } from '@meridian/api';
import type { RegionConfig } from '@meridian/config';
import { type ApplyStore, type RegionId, type TickStore, type Transport, regionId } from '@meridian/core';
import {
  Doctor,
  Enrolment,
  LeaderLock,
  PgApplyStore,
  PgChangeFeed,
  PgConflictDesk,
  PgConflictReader,
  PgPolicyTrial,
  PgPositionStore,
  PgRowLog,
  PgRowStore,
  PgShares,
  PgTickStore,
  PgWebhookStore,
  SqlMergeSession,
  createRowsPool,
  prepareDatabase,
  readCatalogTable,
} from '@meridian/postgres';
import type { Pipeline } from '@meridian/replication';
import {
  type DirectEnd,
  KafkaTransport,
  PeerClient,
  TICKS_PATH,
  answerPeerCall,
  directTransport,
} from '@meridian/transport';
import type { INestApplication } from '@nestjs/common';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { Registry, collectDefaultMetrics } from 'prom-client';
import { KnownCluster } from './cluster-status.js';
import { enrolConfiguredTables } from './configured-tables.js';
import { EnrolmentCoordinator } from './enrolment/coordinator.js';
import { LocalParticipant } from './enrolment/participant.js';
import { PeerParticipant, answerEnrolmentCall } from './enrolment/peer-participant.js';
import { type PeerHandler, createHttpServer } from './http-server.js';
import { type Instances, openInstances } from './instances.js';
import { contendForLead } from './leadership.js';
import { LogReader } from './log-reader.js';
import { FunctionCheck } from './merging/function-check.js';
import { RegionPolicyFunctions } from './merging/policy-functions.js';
import { Observations } from './observations.js';
import { RegionDoctor } from './region-doctor.js';
import { LocalRelaying } from './relaying.js';
import { createPipeline } from './replication.js';
import { ReplicationMetrics } from './replication-metrics.js';
import { moveShares } from './moving-shares.js';
import { ShareSeekingRows } from './share-seeking-rows.js';
import { systemTimers } from './system.js';
import { SHAPE_PATH, TableComparison, answerShapeCall, shapesOfPeers } from './table-comparison.js';
import { upkeep } from './upkeep.js';
import { RegionWebhooks } from './webhooks/region-webhooks.js';
import { WebhookMetrics } from './webhooks/webhook-metrics.js';

/** The parts that replication writes through; a test may put itself in between (failpoints). */
export interface Seams {
  readonly ticks: (store: TickStore) => TickStore;
  readonly apply: (store: ApplyStore) => ApplyStore;
  readonly transport: (transport: Transport) => Transport;
}

const NO_SEAMS: Seams = { ticks: (s) => s, apply: (s) => s, transport: (t) => t };

/** Reading the rows of a large table for its digest takes longer than an ordinary call. */
const ENROLMENT_CALL_TIMEOUT_MS = 55_000;
const ASKING_TIMEOUT_MS = 5_000;

/** One region's service: binds the ports to PostgreSQL, the transport and REST. The only place that knows everything. */
export class RegionService {
  private readonly abort = new AbortController();
  private readonly background: Promise<unknown>[] = [];
  private readonly relaying: LocalRelaying;
  private readonly functions: RegionPolicyFunctions;
  private readonly functionCheck: FunctionCheck;
  private readonly observations = new Observations(() => Date.now());
  private readonly metrics = new Registry();
  private readonly replicationMetrics: ReplicationMetrics;
  private readonly webhooks: RegionWebhooks;
  /** Does this instance relay and apply, does another, or is it not known yet? */
  private role: 'leads' | 'follows' | 'contends' = 'contends';

  private constructor(
    private readonly config: RegionConfig,
    private readonly log: Logger,
    private readonly seams: Seams,
    private readonly region: RegionId,
    private readonly stores: Stores,
    private readonly wire: Wire,
    private readonly instances: Instances,
  ) {
    this.relaying = new LocalRelaying(instances.bus);
    const sqlFunctions = new SqlMergeSession(config.postgres.url);
    this.functions = new RegionPolicyFunctions(sqlFunctions);
    const { pool } = stores;
    this.functionCheck = new FunctionCheck(
      (table) => readCatalogTable(pool, table),
      new PgPolicyTrial(pool),
      sqlFunctions,
    );
    const peers = Object.keys(config.peers) as RegionId[];
    this.replicationMetrics = new ReplicationMetrics(this.metrics, this.observations, peers, () => Date.now());
    const webhooks = new PgWebhookStore(pool);
    const metrics = new WebhookMetrics(this.metrics, webhooks);
    this.webhooks = new RegionWebhooks(config, webhooks, new PgConflictReader(pool), metrics, log);
    collectDefaultMetrics({ register: this.metrics });
    this.relaying.onAdvance(() => stores.reader.wake());
  }

  private app!: INestApplication;

  static async start(config: RegionConfig, log: Logger, seams: Seams = NO_SEAMS): Promise<RegionService> {
    const region = regionId(config.region);
    const database = await prepareDatabase({
      url: config.postgres.url,
      secret: config.secret,
      cluster: config.cluster,
      region,
    });
    if (!database.replicaRole)
      log.warn(
        'the apply role may not set session_replication_role: tables with triggers or foreign keys cannot be enrolled',
      );
    const stores = openStores(config, region, database.applyUrl, database.applyRole, database.replicaRole);
    const wire = openWire(config, region, stores.reader, log);
    const service = new RegionService(config, log, seams, region, stores, wire, openInstances(config, log));
    await service.run();
    return service;
  }

  private async run(): Promise<void> {
    await this.stores.ticks.maintainPartitions();
    const { participant, coordinator } = this.enrolling();
    const peers: PeerHandler = (req, res) =>
      req.url!.startsWith(TICKS_PATH)
        ? this.wire.direct.server.handle(req, res)
        : answerPeerCall(this.wire.direct.signer, req, res, (call) =>
            call.path === SHAPE_PATH
              ? answerShapeCall(this.stores.doctor, call)
              : answerEnrolmentCall(participant, call),
          );
    const rate = { limiter: this.instances.limiter, perSecond: this.config.http.requestsPerSecond };
    this.app = await createHttpServer(this.ports(coordinator), this.apiOptions(), peers, rate, this.log);
    await this.app.listen(this.config.http.port, this.config.http.host);
    this.background.push(
      contendForLead(
        new LeaderLock({ connectionString: this.config.postgres.url }),
        { begin: () => this.lead() },
        systemTimers,
        this.abort.signal,
        {
          following: () => (this.role = 'follows'),
          failed: (error) => {
            this.role = 'contends';
            this.log.warn({ err: error }, 'the lead could not be taken, and is tried again');
          },
        },
      ),
      enrolConfiguredTables(this.config, coordinator, systemTimers, this.abort.signal, this.log),
    );
  }

  async stop(): Promise<void> {
    this.abort.abort();
    this.wire.direct.server.close();
    await Promise.all(this.background);
    await this.app.close();
    await this.wire.transport.close();
    this.wire.control.close();
    this.wire.asking.close();
    await this.instances.close();
    await this.functions.close();
    await this.stores.close();
  }

  private async lead(): Promise<() => Promise<void>> {
    const ending = new AbortController();
    const pipeline: Pipeline = createPipeline({
      config: this.config,
      region: this.region,
      ticks: this.seams.ticks(this.stores.ticks),
      apply: this.seams.apply(this.stores.apply),
      transport: this.seams.transport(this.wire.transport),
      functions: this.functions,
      relaying: this.relaying,
      observations: this.observations,
      metrics: this.replicationMetrics,
      log: this.log,
    });
    await this.recallRefused();
    await pipeline.start();
    const keeping = upkeep(this.stores, () => this.recallRefused(), systemTimers, ending.signal, this.log);
    const telling = this.webhooks.tell(systemTimers, ending.signal);
    const moving = moveShares(this.stores.shares, systemTimers, ending.signal, this.log);
    this.relaying.lead(pipeline);
    this.role = 'leads';
    this.log.info({ region: this.region }, 'this instance relays, receives and applies');
    return async () => {
      this.role = 'contends';
      this.relaying.lead(null);
      ending.abort();
      await pipeline.stop();
      await Promise.all([keeping, telling, moving]);
    };
  }

  /** Whoever led before has told of them, and is not heard of any more; and upkeep finds some that apply has not met. */
  private async recallRefused(): Promise<void> {
    const { refused } = this.observations;
    const tables = await this.stores.enrolment.list();
    refused.clear();
    for (const { name, state, reason } of tables)
      if (state === 'waiting') refused.set(name, reason ?? 'its changes wait');
  }

  private enrolling(): { participant: LocalParticipant; coordinator: EnrolmentCoordinator } {
    const peers = (Object.keys(this.config.peers) as RegionId[]).map(
      (peer) => new PeerParticipant(peer, this.wire.control),
    );
    const { enrolment } = this.stores;
    const participant: LocalParticipant = new LocalParticipant(
      this.region,
      enrolment,
      (from, id) => (from === this.region ? participant.page(id) : peers.find((p) => p.region === from)!.page(id)),
      () => this.relaying.changed(),
    );
    return {
      participant,
      coordinator: new EnrolmentCoordinator(enrolment, participant, peers, this.functionCheck),
    };
  }

  private ports(tables: EnrolmentCoordinator): ApiPorts {
    const { config, region, stores } = this;
    const positions = new PgPositionStore(stores.pool, region);
    const address = `http://${config.http.host}:${config.http.port}`;
    const view = {
      region,
      address,
      peers: config.peers,
      heartbeatMs: config.replication.heartbeatMs,
      maxClockSkewMs: config.replication.maxClockSkewMs,
    };
    const cluster = new KnownCluster(view, positions, this.observations, () => Date.now());
    return {
      rows: new ShareSeekingRows(new PgRowStore(stores.pool), stores.shares),
      positions,
      relaying: this.relaying,
      changes: new PgChangeFeed(stores.pool, region),
      conflicts: new PgConflictReader(stores.pool),
      rowLog: new PgRowLog(stores.pool, region),
      policyTrial: new PgPolicyTrial(stores.pool),
      desk: new PgConflictDesk(stores.pool, region),
      tables,
      cluster,
      readiness: { checks: () => Promise.resolve(this.checks()) },
      doctor: new RegionDoctor({
        ...{ database: stores.doctor, cluster, apply: stores.apply },
        tables: new TableComparison(
          region,
          stores.doctor,
          Object.keys(config.peers) as RegionId[],
          shapesOfPeers(this.wire.asking),
        ),
        leads: () => this.role === 'leads',
        maxClockSkewMs: config.replication.maxClockSkewMs,
        webhooks: this.webhooks,
      }),
      webhooks: this.webhooks,
      metrics: this.metrics,
    };
  }

  private checks() {
    const { halted, lastCutMs } = this.observations;
    const cutLately = Date.now() - lastCutMs < CUT_BEATS * this.config.replication.heartbeatMs;
    const relays = this.role === 'leads' ? cutLately : this.role === 'follows';
    return [
      { name: 'lead', ok: this.role !== 'contends', detail: `this instance ${this.role}` },
      { name: 'relay', ok: relays, detail: relays ? 'ticks are cut' : 'no tick was cut lately' },
      { name: 'apply', ok: halted === null, detail: halted ?? 'ticks are applied' },
    ];
  }

  private apiOptions(): ApiOptions {
    const { cluster, http, peers } = this.config;
    return {
      cluster,
      region: this.region,
      regions: [this.region, ...Object.keys(peers)],
      version: VERSION,
      bodyLimitBytes: http.bodyLimitBytes,
      sessionWaitMs: http.sessionWaitMs,
      maxRows: http.maxRows,
      requestTimeoutMs: http.requestTimeoutMs,
    };
  }
}

const VERSION = '0.1.0';
/** Heartbeats without a tick after which the relay counts as standing still. */
const CUT_BEATS = 5;

interface Stores {
  readonly ticks: PgTickStore;
  readonly apply: PgApplyStore;
  readonly enrolment: Enrolment;
  readonly doctor: Doctor;
  readonly reader: LogReader;
  readonly pool: Pool;
  readonly shares: PgShares;
  close(): Promise<void>;
}

function openStores(
  config: RegionConfig,
  region: RegionId,
  applyUrl: string,
  applyRole: string,
  replicaRole: boolean,
): Stores {
  const { url, poolSize, statementTimeoutMs, lockTimeoutMs } = config.postgres;
  const ticks = new PgTickStore({
    region,
    connection: { connectionString: url },
    historyMs: config.replication.historyHours * 3_600_000,
  });
  const apply = new PgApplyStore({
    region,
    connection: { connectionString: applyUrl },
    owner: { connectionString: url },
  });
  const peers = Object.keys(config.peers) as RegionId[];
  const pool = createRowsPool({ url, max: poolSize, statementTimeoutMs, lockTimeoutMs });
  return {
    ticks,
    apply,
    enrolment: new Enrolment({ url, region, applyRole, replicaRole }),
    doctor: new Doctor({ url, region, applyRole, replicaRole, peers }),
    reader: new LogReader(ticks, systemTimers),
    pool,
    shares: new PgShares(pool, region, [region, ...peers]),
    close: async () => void (await Promise.all([ticks.close(), apply.close(), pool.end()])),
  };
}

interface Wire {
  readonly transport: Transport;
  readonly direct: DirectEnd;
  /** For short calls between services. */
  readonly control: PeerClient;
  /** For questions that somebody waits for at a terminal: a region that does not answer soon is told of. */
  readonly asking: PeerClient;
}

function openWire(config: RegionConfig, region: RegionId, reader: LogReader, log: Logger): Wire {
  const identity = { cluster: config.cluster, secrets: [config.secret] as [string] };
  const onEvent = (event: { readonly kind: string }) => log.info(event, `transport: ${event.kind}`);
  const direct = directTransport({ ...identity, region, peers: config.peers, reader, onEvent });
  const control = new PeerClient({
    signer: direct.signer,
    peers: config.peers,
    callTimeoutMs: ENROLMENT_CALL_TIMEOUT_MS,
    connectTimeoutMs: ENROLMENT_CALL_TIMEOUT_MS,
  });
  const asking = new PeerClient({
    signer: direct.signer,
    peers: config.peers,
    callTimeoutMs: ASKING_TIMEOUT_MS,
    connectTimeoutMs: ASKING_TIMEOUT_MS,
  });
  if (config.transport === 'direct') return { transport: direct.transport, direct, control, asking };
  const { brokers, topicPrefix } = config.transport.kafka;
  const kafka = new KafkaTransport({
    ...{ region, cluster: config.cluster, brokers: [...brokers], topicPrefix },
    ...{ envelopes: direct.envelopes, reader, direct: direct.transport, onEvent },
  });
  return { transport: kafka, direct, control, asking };
}
