import type { ClusterStatus, Doctor as DoctorPort, WebhookDesk } from '@meridian/api';
import type { Finding, RegionStatus, TablePolicy } from '@meridian/contract';
import type { TableRef } from '@meridian/core';
import { type Blocker, blockerFinding, type Doctor, type Finding as Found } from '@meridian/postgres';
import type { TableComparison } from './table-comparison.js';
import { webhookFindings } from './webhooks/webhook-findings.js';

interface Looked {
  readonly database: Pick<Doctor, 'examine'>;
  readonly tables: Pick<TableComparison, 'check'>;
  readonly cluster: ClusterStatus;
  readonly apply: { blockers(): Promise<readonly Blocker[]> };
  /** Only the instance that leads hears of peers, and knows whom apply waits for. */
  readonly leads: () => boolean;
  readonly maxClockSkewMs: number;
  readonly webhooks: Pick<WebhookDesk, 'list'>;
}

/** What the database tells, and what the pipeline has seen beside it. */
export class RegionDoctor implements DoctorPort {
  constructor(private readonly looked: Looked) {}

  async examine(): ReturnType<DoctorPort['examine']> {
    const { findings, tables } = await this.looked.database.examine();
    const unavailable = findings.some((f) => f.code === 'database_unavailable');
    return {
      findings: [...(unavailable ? [] : await this.beside()), ...findings.map(answered)],
      tables: tables.map(({ table, state, reasons }) => ({
        ...{ table, state },
        reasons: reasons.map(({ code, message, cure }) => ({ code, detail: message, cure })),
      })),
    };
  }

  check(table: TableRef, policy?: TablePolicy): ReturnType<DoctorPort['check']> {
    return this.looked.tables.check(table, policy);
  }

  private async beside(): Promise<readonly Finding[]> {
    return [...(await this.replication()), ...webhookFindings(await this.looked.webhooks.list())];
  }

  private async replication(): Promise<readonly Finding[]> {
    const { cluster, apply, leads, maxClockSkewMs } = this.looked;
    if (!leads()) return [FOLLOWS];
    const regions = (await cluster.regions()).flatMap((region) => [
      ...regionFinding(region, maxClockSkewMs),
      ...clockFinding(region, maxClockSkewMs),
    ]);
    return [...regions, ...(await apply.blockers()).map(blockerFinding).map(answered)];
  }
}

const answered = ({ sql, ...found }: Found): Finding => ({ ...found, ...(sql === undefined ? {} : { sql: [...sql] }) });

const FOLLOWS: Finding = {
  severity: 'info',
  code: 'not_leading',
  about: 'service',
  detail: 'this instance does not relay and apply: nothing is known here of peers, and of whom apply waits for',
  cure: 'ask the instance that leads, too',
};

const FOUND: Readonly<Record<RegionStatus['health'], readonly [Finding['severity'], code: string] | null>> = {
  healthy: null,
  lagging: ['warning', 'region_lags'],
  unreachable: ['error', 'region_unreachable'],
  halted: ['error', 'apply_halted'],
};

const CURES: Readonly<Record<string, string>> = {
  region_unreachable: 'look at its service, and at the network between; writes go on, and are delivered later',
  apply_halted: 'the reason says what; it is tried again all the time',
};

/** A region that lags for nothing but its clock is told of by that. */
function regionFinding({ region, health, detail, address, clockOffsetMs }: RegionStatus, skewMs: number): Finding[] {
  const found = FOUND[health];
  if (found === null || (health === 'lagging' && (clockOffsetMs ?? 0) > skewMs)) return [];
  const [severity, code] = found;
  const where = health === 'unreachable' && address !== null ? `${address}: ` : '';
  const about = `region ${region}`;
  return [{ severity, code, about, detail: `${where}${detail ?? health}`, cure: CURES[code] ?? null }];
}

/**
 * What a tick takes to arrive makes its origin look behind, so behind is told only of a region that is heard, and with that
 * doubt.
 */
function clockFinding({ region, health, self, detail, clockOffsetMs }: RegionStatus, skewMs: number): Finding[] {
  const offset = clockOffsetMs ?? 0;
  if (self || health === 'unreachable' || Math.abs(offset) <= skewMs) return [];
  const ahead = offset > 0;
  return [
    {
      severity: 'warning',
      code: 'clock_offset',
      about: `region ${region}`,
      detail: ahead
        ? (detail ?? `its clock is ${offset} ms ahead`)
        : `its clock is ${-offset} ms behind ours, or its ticks take as long to arrive`,
      cure: `mend the time service of ${ahead ? region : `${region}, or the network between`}: timedatectl timesync-status, or chronyc tracking, tells`,
      meaning: `nothing diverges; but of concurrent writes, those of ${ahead ? `${region} win` : `the others win over those of ${region}`} more often than they should`,
    },
  ];
}
