import { type DynamicModule, type INestApplication, Module } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { ChangesController } from './changes/changes.controller.js';
import { ChangesService } from './changes/changes.service.js';
import { ClusterController } from './cluster/cluster.controller.js';
import { VisibilityService } from './cluster/visibility.service.js';
import { BulkController } from './conflicts/bulk.controller.js';
import { BulkService } from './conflicts/bulk.service.js';
import { ConflictChangesController } from './conflicts/conflict-changes.controller.js';
import { ConflictActionsController } from './conflicts/conflict-actions.controller.js';
import { ConflictActionsService } from './conflicts/conflict-actions.service.js';
import { ConflictsController } from './conflicts/conflicts.controller.js';
import { ConflictExportController } from './conflicts/export.controller.js';
import { DataController } from './data/data.controller.js';
import { DataService } from './data/data.service.js';
import { TextController } from './data/text/text.controller.js';
import { TextService } from './data/text/text.service.js';
import { TxController } from './data/tx.controller.js';
import { TxService } from './data/tx.service.js';
import { DiagnosisController } from './diagnosis/diagnosis.controller.js';
import { TableCheckController } from './diagnosis/table-check.controller.js';
import { DocsController } from './docs/docs.controller.js';
import { OpenApiHolder } from './docs/openapi-holder.js';
import { HealthController } from './health/health.controller.js';
import { measureRequests } from './health/http-metrics.js';
import { DocumentPipe } from './http/document.pipe.js';
import { ProblemFilter } from './http/problem.filter.js';
import { openApiDocument } from './openapi.js';
import { API_OPTIONS, API_PORTS, type ApiOptions } from './options.js';
import type { ApiPorts } from './ports.js';
import { PoliciesController } from './policies/policies.controller.js';
import { PolicyPreviewService } from './policies/policy-preview.service.js';
import { RowLogController } from './row-log/row-log.controller.js';
import { RowLogService } from './row-log/row-log.service.js';
import { SessionService } from './session/session.service.js';
import { TableMergesController } from './tables/table-merges.controller.js';
import { TableRevisionsController } from './tables/table-revisions.controller.js';
import { TablesController } from './tables/tables.controller.js';
import { WebhooksController } from './webhooks/webhooks.controller.js';

@Module({})
export class ApiModule {
  static register(ports: ApiPorts, options: ApiOptions): DynamicModule {
    return {
      module: ApiModule,
      controllers: [
        DataController,
        RowLogController,
        TextController,
        TxController,
        ChangesController,
        TablesController,
        TableRevisionsController,
        TableMergesController,
        ConflictExportController,
        ConflictChangesController,
        ConflictsController,
        ConflictActionsController,
        BulkController,
        PoliciesController,
        ClusterController,
        DiagnosisController,
        TableCheckController,
        WebhooksController,
        HealthController,
        DocsController,
      ],
      providers: [
        { provide: API_PORTS, useValue: ports },
        { provide: API_OPTIONS, useValue: options },
        SessionService,
        DataService,
        RowLogService,
        TextService,
        PolicyPreviewService,
        TxService,
        ChangesService,
        ConflictActionsService,
        BulkService,
        VisibilityService,
        OpenApiHolder,
      ],
    };
  }
}

/** After NestFactory.create and before listen: what is global to the application that holds {@link ApiModule}. */
export function prepareApi(app: INestApplication): void {
  const options = app.get<ApiOptions>(API_OPTIONS, { strict: false });
  const ports = app.get<ApiPorts>(API_PORTS, { strict: false });
  app.useGlobalFilters(new ProblemFilter());
  app.useGlobalPipes(new DocumentPipe());
  measureRequests(app.getHttpAdapter().getInstance() as FastifyInstance, ports.metrics);
  app.get(OpenApiHolder, { strict: false }).set(openApiDocument(app, options));
}
