import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Put, Res } from '@nestjs/common';
import { EnrolledTable, EnrolledTables, EnrolmentAnswer, TablePolicy } from '@meridian/contract';
import { parseTableName } from '@meridian/core';
import type { FastifyReply } from 'fastify';
import { Documented } from '../http/documented.js';
import { API_PORTS } from '../options.js';
import type { ApiPorts } from '../ports.js';
import { answerOf, notEnrolled, problemOf, TABLE } from './enrolment-answer.js';

@Controller('v1/tables')
export class TablesController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get()
  @Documented({
    tag: 'Tables',
    summary: 'Enrolled tables',
    answers: { 200: { description: 'All of them', schema: EnrolledTables } },
    problems: ['database_unavailable'],
  })
  async list(): Promise<EnrolledTables> {
    return { items: [...(await this.ports.tables.list())], next: null };
  }

  @Get(':table')
  @Documented({
    tag: 'Tables',
    summary: 'One table and its policy',
    params: TABLE,
    answers: { 200: { description: 'It is enrolled', schema: EnrolledTable } },
    problems: ['bad_table_name', 'table_not_enrolled', 'database_unavailable'],
  })
  async get(@Param('table') name: string): Promise<EnrolledTable> {
    return (await this.ports.tables.get(parseTableName(name))) ?? notEnrolled(name);
  }

  @Put(':table')
  @Documented({
    tag: 'Tables',
    summary: 'Enrol a table in all regions, or change its policy',
    params: TABLE,
    body: TablePolicy,
    answers: {
      200: { description: 'It was enrolled before', schema: EnrolmentAnswer },
      201: { description: 'It is enrolled now', schema: EnrolmentAnswer },
    },
    problems: [
      'bad_table_name',
      'bad_json',
      'invalid_document',
      'enrolment_refused',
      'body_too_large',
      'unsupported_media_type',
      'database_unavailable',
    ],
  })
  async put(
    @Param('table') name: string,
    @Body({ schema: TablePolicy.prefault({}) }) policy: TablePolicy,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<EnrolmentAnswer> {
    const { created, table } = answerOf(name, await this.ports.tables.put(parseTableName(name), policy));
    void reply.code(created ? 201 : 200);
    return table;
  }

  @Delete(':table')
  @HttpCode(204)
  @Documented({
    tag: 'Tables',
    summary: 'End the replication of a table',
    description:
      'In all regions. The rows stay where they are; what is still on its way to a region is not applied there any more.',
    params: TABLE,
    answers: { 204: { description: 'It is not enrolled any more' } },
    problems: ['bad_table_name', 'table_not_enrolled', 'region_unreachable', 'database_unavailable'],
  })
  async remove(@Param('table') name: string): Promise<void> {
    const outcome = await this.ports.tables.remove(parseTableName(name));
    if (outcome.kind === 'not enrolled') notEnrolled(name);
    if (outcome.kind === 'incomplete') throw problemOf('region_unreachable', name, outcome.reasons);
  }
}
