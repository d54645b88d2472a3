import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { ApiProblem } from '../http/api-problem.js';
import { Documented } from '../http/documented.js';
import { OpenApiHolder } from './openapi-holder.js';

/** Its own files only, no inline code: what a row or a table's name holds can never run here. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const asset = (name: string): string => readFileSync(join(__dirname, 'assets', name), 'utf8');
const ASSETS: { readonly [name: string]: readonly [type: string, content: string] } = {
  'docs.js': ['text/javascript; charset=utf-8', asset('docs.js')],
  'docs.css': ['text/css; charset=utf-8', asset('docs.css')],
};
const PAGE = asset('docs.html');

@Controller()
export class DocsController {
  constructor(private readonly openApi: OpenApiHolder) {}

  @Get('openapi.json')
  @Documented({
    tag: 'Operations',
    summary: 'This document',
    answers: { 200: { description: 'OpenAPI 3.1', schema: z.record(z.string(), z.unknown()) } },
    problems: [],
  })
  document(@Res() reply: FastifyReply): void {
    void reply.type('application/json; charset=utf-8').send(this.openApi.text());
  }

  @Get('docs')
  @Documented({
    tag: 'Operations',
    summary: 'This document to read, offline',
    answers: { 200: { description: 'A page', schema: z.string(), type: 'text/html' } },
    problems: [],
  })
  page(@Res() reply: FastifyReply): void {
    void reply.header('Content-Security-Policy', POLICY).type('text/html; charset=utf-8').send(PAGE);
  }

  @Get('docs/:asset')
  @ApiExcludeEndpoint()
  asset(@Param('asset') name: string, @Res() reply: FastifyReply): void {
    if (!Object.hasOwn(ASSETS, name)) throw new ApiProblem('not_found', 'the page has no such part');
    const [type, content] = ASSETS[name]!;
    void reply.header('Content-Security-Policy', POLICY).type(type).send(content);
  }
}
