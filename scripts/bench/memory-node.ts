/**
 * A JSON-RPC endpoint on loopback that knows by heart what a node answered it before, so that what asks is timed and not how long that node takes to look up the state of an
 * old block. Started by `rememberNode`; asks the node whose URL it is given for whatever it was not asked yet.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

type Request = { readonly id: number; readonly method: string; readonly params: readonly unknown[] };
type Answer = { readonly id: number; readonly [field: string]: unknown };

const [node = ''] = process.argv.slice(2);
/** By method and parameters: the answer as text, from behind its id on. */
const known = new Map<string, string>();

function keyOf({ method, params }: Request): string {
  return JSON.stringify([method, params]);
}

async function learn(unknown: readonly Request[]): Promise<void> {
  if (unknown.length === 0) return;
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify(unknown.map((request, id) => ({ jsonrpc: '2.0', ...request, id })));
  const answers = (await (await fetch(node, { method: 'POST', headers, body })).json()) as Answer[];
  for (const { id, ...rest } of answers) known.set(keyOf(unknown[id]!), JSON.stringify(rest).slice(1));
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', async () => {
    const asked = JSON.parse(Buffer.concat(chunks).toString()) as Request | Request[];
    const all = Array.isArray(asked) ? asked : [asked];
    await learn(all.filter((one) => !known.has(keyOf(one))));
    const answers = all.map((one) => `{"id":${one.id},${known.get(keyOf(one))}`);
    response.setHeader('content-type', 'application/json');
    response.end(Array.isArray(asked) ? `[${answers.join(',')}]` : answers[0]);
  });
});
server.listen(0, '127.0.0.1', () => process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
