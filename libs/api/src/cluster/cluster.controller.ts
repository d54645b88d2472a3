import { Controller, Get, Inject, Query } from '@nestjs/common';
import { Cluster, Visibility, VisibilityQuery } from '@meridian/contract';
import type { z } from 'zod';
import { Documented } from '../http/documented.js';
import { API_OPTIONS, API_PORTS, type ApiOptions } from '../options.js';
import type { ApiPorts } from '../ports.js';
import { VisibilityService } from './visibility.service.js';

@Controller('v1')
export class ClusterController {
  constructor(
    @Inject(API_PORTS) private readonly ports: ApiPorts,
    @Inject(API_OPTIONS) private readonly options: ApiOptions,
    private readonly visibility: VisibilityService,
  ) {}

  @Get('cluster')
  @Documented({
    tag: 'Cluster',
    summary: 'Regions, health, applied vectors, lag and clocks, as this region sees them',
    answers: { 200: { description: 'The cluster', schema: Cluster } },
    problems: ['database_unavailable'],
  })
  async cluster(): Promise<Cluster> {
    const { cluster, region, version } = this.options;
    return { cluster, region, version, items: [...(await this.ports.cluster.regions())], next: null };
  }

  @Get('visibility')
  @Documented({
    tag: 'Cluster',
    summary: 'Which regions have what a session token stands for',
    query: VisibilityQuery,
    answers: { 200: { description: 'Per region', schema: Visibility } },
    problems: ['bad_token', 'invalid_document', 'database_unavailable'],
  })
  visible(@Query({ schema: VisibilityQuery }) { token }: z.infer<typeof VisibilityQuery>): Promise<Visibility> {
    return this.visibility.of(token);
  }
}
