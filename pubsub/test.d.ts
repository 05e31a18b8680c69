import type { IPubSubAdapter } from '../index';

export interface IAdapterUnderTest {
  adapter: IPubSubAdapter;
  /** Called after `adapter.close()`. */
  close?(): void | Promise<void>;
}

/**
 * Adds a suite of tests for an adapter to `node:test`.
 * @param make a new adapter, with clients of its own
 * @param faults how to take the engine away and back; without it, losses are not tested
 */
export function testAdapter(
  name: string,
  make: () => IAdapterUnderTest | Promise<IAdapterUnderTest>,
  faults?: { stop(): Promise<void>; restart(): Promise<void> },
): void;
