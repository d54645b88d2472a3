import { Controller, Delete, Get, Param, Patch, Post, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { send } from '../http/answer.js';
import { dataRequest } from './data-request.js';
import { DataService, requireBody } from './data.service.js';
import { deleteOf, insertOf, replaceOf, updateOf } from './write-request.js';
import {
  DocumentDelete,
  DocumentInsert,
  DocumentRead,
  DocumentRow,
  DocumentRowDelete,
  DocumentRowPatch,
  DocumentRowPut,
  DocumentUpdate,
} from './data.openapi.js';

@Controller('v1/data')
export class DataController {
  constructor(private readonly data: DataService) {}

  @Get(':table')
  @DocumentRead()
  async read(@Param('table') table: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.data.read(table, dataRequest(request)));
  }

  @Post(':table')
  @DocumentInsert()
  async insert(
    @Param('table') table: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(reply, await this.data.write(table, null, requireBody(dataRequest(request)), (t, _, r) => insertOf(t, r)));
  }

  @Patch(':table')
  @DocumentUpdate()
  async update(
    @Param('table') table: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(
      reply,
      await this.data.write(table, null, requireBody(dataRequest(request)), (t, _, r) => updateOf(t, null, r)),
    );
  }

  @Delete(':table')
  @DocumentDelete()
  async delete(
    @Param('table') table: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(reply, await this.data.write(table, null, dataRequest(request), (t, _, r) => deleteOf(t, null, r)));
  }

  @Get(':table/:key')
  @DocumentRow()
  async readOne(
    @Param('table') table: string,
    @Param('key') key: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(reply, await this.data.readOne(table, key, dataRequest(request)));
  }

  @Put(':table/:key')
  @DocumentRowPut()
  async replace(
    @Param('table') table: string,
    @Param('key') key: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(reply, await this.data.write(table, key, requireBody(dataRequest(request)), replaceOf));
  }

  @Patch(':table/:key')
  @DocumentRowPatch()
  async updateOne(
    @Param('table') table: string,
    @Param('key') key: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(reply, await this.data.write(table, key, requireBody(dataRequest(request)), updateOf));
  }

  @Delete(':table/:key')
  @DocumentRowDelete()
  async deleteOne(
    @Param('table') table: string,
    @Param('key') key: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(reply, await this.data.write(table, key, dataRequest(request), deleteOf));
  }
}
