import { type Relaying, seq } from '@meridian/core';
import type { Pipeline } from '@meridian/replication';

/** Between REST and the pipeline of this process, when this instance leads. All of it only saves waiting. */
export class LocalRelaying implements Relaying {
  private pipeline: Pipeline | null = null;
  private readonly listeners = new Set<() => void>();

  lead(pipeline: Pipeline | null): void {
    this.pipeline = pipeline;
  }

  written(): void {
    this.pipeline?.wake();
  }

  promised(own: number): void {
    this.pipeline?.promise(seq(own));
  }

  onAdvance(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  advanced(): void {
    for (const listener of this.listeners) listener();
  }
}
