import { Controller, Get, Inject } from '@nestjs/common';
import { Diagnosis, SEVERITIES } from '@meridian/contract';
import { Documented } from '../http/documented.js';
import { API_OPTIONS, API_PORTS, type ApiOptions } from '../options.js';
import type { ApiPorts } from '../ports.js';

@Controller('v1/diagnosis')
export class DiagnosisController {
  constructor(
    @Inject(API_PORTS) private readonly ports: ApiPorts,
    @Inject(API_OPTIONS) private readonly options: ApiOptions,
  ) {}

  @Get()
  @Documented({
    tag: 'Operations',
    summary: 'What is wrong in this region, and what mends it',
    description:
      'Server, rights, tables, sessions that hold others up, parked rows, peers and the log. Looks, and changes nothing.',
    answers: { 200: { description: 'All that was found', schema: Diagnosis } },
    problems: [],
  })
  async diagnosis(): Promise<Diagnosis> {
    const { findings, tables } = await this.ports.doctor.examine();
    const items = SEVERITIES.flatMap((severity) => findings.filter((f) => f.severity === severity));
    const { region } = this.options;
    return { region, at: new Date().toISOString(), items, tables: [...tables], next: null };
  }
}
