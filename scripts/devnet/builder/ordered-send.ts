/**
 * Puts signed transactions into anvil's pool in one strict order, fast. A batch keeps no order, and one request after the other costs a
 * round trip each, so the requests are pipelined over one connection: the server answers each before it reads the next.
 */
import net from 'node:net';
import type { Hex } from 'viem';
import { type RpcResult, resultOf } from './rpc.ts';

const TIMEOUT_MS = 30_000;

/** One result per transaction, in order. A transaction that is refused does not stop the later ones. */
export function sendInOrder(url: URL, raws: readonly Hex[]): Promise<RpcResult[]> {
  if (raws.length === 0) return Promise.resolve([]);
  return new Promise((resolve, reject) => {
    const results: RpcResult[] = [];
    let unread: Buffer = Buffer.alloc(0);
    const socket = net.connect(Number(url.port || 80), url.hostname);
    socket.setNoDelay(true);
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('the chain did not take the transactions within 30 s')));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the chain closed the connection while it took transactions')));
    socket.on('data', (chunk) => {
      unread = Buffer.concat([unread, chunk]);
      try {
        for (let next = readAnswer(unread); next; next = readAnswer(unread)) {
          results.push(resultOf(JSON.parse(next.body)));
          unread = unread.subarray(next.end);
        }
      } catch (error) {
        socket.destroy(error as Error);
        return;
      }
      if (results.length < raws.length) return;
      socket.removeAllListeners('close');
      socket.destroy();
      resolve(results);
    });
    socket.write(raws.map((raw, id) => request(url, id, raw)).join(''));
  });
}

function request(url: URL, id: number, raw: Hex): string {
  const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'eth_sendRawTransaction', params: [raw] });
  return `POST ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

/** The first whole HTTP answer in `bytes`, if there is one. Throws when it has no content-length (anvil always gives one). */
function readAnswer(bytes: Buffer): { body: string; end: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const length = /\r\ncontent-length: *(\d+)/i.exec(bytes.toString('latin1', 0, headEnd))?.[1];
  if (length === undefined) throw new Error('the chain answered without a content-length');
  const start = headEnd + 4;
  const end = start + Number(length);
  return bytes.length < end ? undefined : { body: bytes.toString('utf8', start, end), end };
}
