import { Injectable } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';

/** The document is made from the finished application, so it comes to the controller after everything else. */
@Injectable()
export class OpenApiHolder {
  #text = '{}';

  set(document: OpenAPIObject): void {
    this.#text = JSON.stringify(document);
  }

  text(): string {
    return this.#text;
  }
}
