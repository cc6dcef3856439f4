/**
 * A JSON-RPC endpoint on loopback that serves one rendered history of logs and nothing else, so that what asks is timed and not a node's database. Started by
 * `serveHistory`; reads the logs of a chain from the file that it is given, as that chain's node answered them, and repeats them block after block.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

type Answered = { readonly blockNumber: string };
type Request = { readonly id: number; readonly method: string; readonly params: readonly unknown[] };

const [file = '', copies = '1'] = process.argv.slice(2);
const answered = JSON.parse(await readFile(file, 'utf8')) as Answered[];
const span = Math.max(...answered.map(({ blockNumber }) => Number(blockNumber)));
const byBlock = Map.groupBy(answered, ({ blockNumber }) => Number(blockNumber));
const last = span * Number(copies);

/** Where each block's logs begin in the rendered text, and where the last one's end; each log has a comma behind it. */
const starts: number[] = [0];
const texts: Buffer[] = [];
let length = 0;
for (let block = 0; block <= last; block++) {
  const source = block === 0 ? -1 : ((block - 1) % span) + 1;
  for (const log of byBlock.get(source) ?? []) {
    const text = Buffer.from(`${JSON.stringify({ ...log, blockNumber: `0x${block.toString(16)}` })},`);
    texts.push(text);
    length += text.length;
  }
  starts.push(length);
}
const rendered = Buffer.concat(texts, length);

function logsOf([filter]: readonly unknown[]): Buffer {
  const { fromBlock, toBlock } = filter as { fromBlock: string; toBlock: string };
  const start = starts[Math.min(Number(fromBlock), last + 1)]!;
  const end = starts[Math.min(Number(toBlock) + 1, last + 1)]!;
  return rendered.subarray(start, Math.max(start, end - 1));
}

function headerOf(number: unknown): object {
  const hash = `0x${Number(number).toString(16).padStart(64, '0')}`;
  return { number, hash, parentHash: hash, timestamp: number, gasLimit: '0x1', gasUsed: '0x0' };
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const asked = JSON.parse(Buffer.concat(chunks).toString()) as Request | Request[];
    response.setHeader('content-type', 'application/json');
    if (Array.isArray(asked)) {
      const answers = asked.map(({ id, params }) => ({ jsonrpc: '2.0', id, result: headerOf(params[0]) }));
      response.end(JSON.stringify(answers));
    } else if (asked.method === 'eth_getLogs') {
      response.write(`{"jsonrpc":"2.0","id":${asked.id},"result":[`);
      response.write(logsOf(asked.params));
      response.end(']}');
    } else {
      const result = asked.method === 'eth_chainId' ? '0x7a69' : headerOf(`0x${last.toString(16)}`);
      response.end(JSON.stringify({ jsonrpc: '2.0', id: asked.id, result }));
    }
  });
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ url: `http://127.0.0.1:${port}`, last, events: answered.length * Number(copies) });
});
