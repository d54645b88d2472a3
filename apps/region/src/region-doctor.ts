import type { ClusterStatus, Doctor as DoctorPort } from '@meridian/api';
import type { Finding, RegionStatus } from '@meridian/contract';
import { type Blocker, blockerFinding, type Doctor } from '@meridian/postgres';

interface Looked {
  readonly database: Pick<Doctor, 'examine'>;
  readonly cluster: ClusterStatus;
  readonly apply: { blockers(): Promise<readonly Blocker[]> };
  /** Only the instance that leads hears of peers, and knows whom apply waits for. */
  readonly leads: () => boolean;
}

/** What the database tells, and what the pipeline has seen beside it. */
export class RegionDoctor implements DoctorPort {
  constructor(private readonly looked: Looked) {}

  async examine(): ReturnType<DoctorPort['examine']> {
    const { findings, tables } = await this.looked.database.examine();
    const unavailable = findings.some((f) => f.code === 'database_unavailable');
    return {
      findings: [...(unavailable ? [] : await this.replication()), ...findings],
      tables: tables.map(({ table, state, reasons }) => ({
        ...{ table, state },
        reasons: reasons.map(({ code, message, cure }) => ({ code, detail: message, cure })),
      })),
    };
  }

  private async replication(): Promise<readonly Finding[]> {
    const { cluster, apply, leads } = this.looked;
    if (!leads()) return [FOLLOWS];
    const regions = (await cluster.regions()).flatMap(regionFinding);
    return [...regions, ...(await apply.blockers()).map(blockerFinding)];
  }
}

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

function regionFinding({ region, health, detail, address }: RegionStatus): Finding[] {
  const found = FOUND[health];
  if (found === null) return [];
  const [severity, code] = found;
  const where = health === 'unreachable' && address !== null ? `${address}: ` : '';
  const about = `region ${region}`;
  return [{ severity, code, about, detail: `${where}${detail ?? health}`, cure: CURES[code] ?? null }];
}
