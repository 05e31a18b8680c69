// websocket/metrics.

import { contentType, metrics, register, IPromClient } from 'websocket/metrics';

export function ofMetrics(promClient: IPromClient): string {
  register(promClient);
  return contentType + metrics() + metrics({ labels: { worker: 1 } });
}
