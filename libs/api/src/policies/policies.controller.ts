import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { PolicyPreview, PolicyPreviewRequest } from '@meridian/contract';
import { Documented } from '../http/documented.js';
import { PolicyPreviewService } from './policy-preview.service.js';

@Controller('v1')
export class PoliciesController {
  constructor(private readonly previews: PolicyPreviewService) {}

  /** Two colons are one: behind a single one the router would read a parameter. */
  @Post('policies::preview')
  @HttpCode(200)
  @Documented({
    tag: 'Tables',
    summary: 'Try a policy on what conflicted, before it is switched on',
    description:
      'Replays the recorded conflicts of a table under another policy, newest first, and says which would end differently. Nothing is changed. Merges that lost nothing have no record, so a counter that would become something else shows no conflict here.',
    body: PolicyPreviewRequest,
    answers: { 200: { description: 'What would end differently', schema: PolicyPreview } },
    problems: [
      'bad_table_name',
      'bad_json',
      'invalid_document',
      'policy_refused',
      'table_not_enrolled',
      'body_too_large',
      'unsupported_media_type',
      'statement_timeout',
      'database_unavailable',
    ],
  })
  preview(@Body({ schema: PolicyPreviewRequest }) request: PolicyPreviewRequest): Promise<PolicyPreview> {
    return this.previews.preview(request);
  }
}
