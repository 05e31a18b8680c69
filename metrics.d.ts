// Types of `websocket/metrics`; docs/metrics.md describes it.

/** The value of `Content-Type` for what `metrics()` returns. */
export const contentType: string;

export interface IMetricsOptions {
  /** Labels that each figure gets, such as the number of a worker. */
  labels?: Record<string, string | number> | undefined;
}

/**
 * Figures about all servers and clients of this process since `websocket/metrics` was loaded, as text in the format OpenMetrics.
 * @throws Error for labels that cannot be
 */
export function metrics(options?: IMetricsOptions): string;

/** What is used of prom-client. */
export interface IPromClient {
  Counter: new (configuration: any) => unknown;
  Gauge: new (configuration: any) => unknown;
}

/**
 * Registers the figures with prom-client.
 * @param promClient what `require('prom-client')` gives
 * @param registers default: prom-client's own registry
 */
export function register(promClient: IPromClient, registers?: unknown[]): void;
