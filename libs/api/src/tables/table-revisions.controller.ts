import { Body, Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { EnrolmentAnswer, RevertTo, TableRevisions } from '@meridian/contract';
import { parseTableName } from '@meridian/core';
import { ApiProblem } from '../http/api-problem.js';
import { Documented } from '../http/documented.js';
import { API_PORTS } from '../options.js';
import type { ApiPorts, TableEnrolment } from '../ports.js';
import { answerOf, notEnrolled, TABLE } from './enrolment-answer.js';

/** The policies of a table one after another, and back. */
@Controller('v1/tables/:table')
export class TableRevisionsController {
  private readonly tables: TableEnrolment;

  constructor(@Inject(API_PORTS) ports: ApiPorts) {
    this.tables = ports.tables;
  }

  @Get('revisions')
  @Documented({
    tag: 'Tables',
    summary: 'The policies that a table has or had since it was enrolled',
    params: TABLE,
    answers: { 200: { description: 'Newest first', schema: TableRevisions } },
    problems: ['bad_table_name', 'table_not_enrolled', 'database_unavailable'],
  })
  async list(@Param('table') name: string): Promise<TableRevisions> {
    const items = (await this.tables.revisions(parseTableName(name))) ?? notEnrolled(name);
    return { items: [...items], next: null };
  }

  @Post('revert')
  @HttpCode(200)
  @Documented({
    tag: 'Tables',
    summary: 'Take an earlier policy back, in all regions',
    description:
      'Its policy is in force again from here on, as a revision of its own: what was decided in between stays.',
    params: TABLE,
    body: RevertTo,
    answers: { 200: { description: 'It is in force', schema: EnrolmentAnswer } },
    problems: [
      'bad_table_name',
      'bad_json',
      'invalid_document',
      'table_not_enrolled',
      'revision_not_found',
      'enrolment_refused',
      'body_too_large',
      'unsupported_media_type',
      'database_unavailable',
    ],
  })
  async revert(
    @Param('table') name: string,
    @Body({ schema: RevertTo }) { epoch }: RevertTo,
  ): Promise<EnrolmentAnswer> {
    const table = parseTableName(name);
    const revisions = (await this.tables.revisions(table)) ?? notEnrolled(name);
    const found = revisions.find((r) => r.epoch === epoch);
    if (found === undefined) {
      const known = revisions.map((r) => r.epoch).join(', ');
      throw new ApiProblem('revision_not_found', `${name} has no revision ${epoch}: it has ${known}`, { table: name });
    }
    return answerOf(name, await this.tables.put(table, { ...found.policy, initial: 'equal' })).table;
  }
}
