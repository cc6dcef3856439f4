/** Order-flow hints as server-sent events, as MEV-Share's stream has them: one JSON object a message, and a comment now and then to keep the line open. */
import type { ServerResponse } from 'node:http';
import type { OrderFlow } from './order-flow.ts';

const PING_MS = 5_000;

export function streamHints(orderFlow: OrderFlow, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write(':ok\n\n');
  const unsubscribe = orderFlow.subscribe((hint) => response.write(`data: ${JSON.stringify(hint)}\n\n`));
  const ping = setInterval(() => response.write(':ping\n\n'), PING_MS);
  response.once('close', () => {
    clearInterval(ping);
    unsubscribe();
  });
}
