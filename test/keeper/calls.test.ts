/** What a keeper asks its node, counted by an endpoint in between: in idle blocks, and from the sight of an update to the bundle behind it. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FaultProxy } from '../../scripts/devnet/fault-proxy.ts';
import { signTransmit, transmit } from '../../scripts/devnet/oracle/transmit.ts';
import { offerPrivately } from '../../scripts/devnet/private-flow.ts';
import { type Stage, setStage, startTestKeeper, type TestKeeper } from '../support/keeper.ts';

const NONCE = 'eth_getTransactionCount';
const SENDS = new Set(['eth_sendBundle', 'mev_sendBundle']);

/** Before the builder, as relay: tells when the first bundle has come. */
class Doorkeeper {
  readonly #server: Server;
  #onBundle: (() => void) | undefined;

  private constructor(builderUrl: string) {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString();
      const { method } = JSON.parse(body) as { method: string };
      if (SENDS.has(method)) this.#onBundle?.();
      const headers = { 'content-type': 'application/json', 'x-flashbots-signature': String(request.headers['x-flashbots-signature']) };
      const answer = await fetch(builderUrl, { method: 'POST', headers, body });
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
    });
  }

  static async start(builderUrl: string): Promise<Doorkeeper> {
    const one = new Doorkeeper(builderUrl);
    await once(one.#server.listen(0, '127.0.0.1'), 'listening');
    return one;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  bundle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onBundle = resolve;
    });
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

let stage: Stage;
let node: FaultProxy;
let door: Doorkeeper;
let keeper: TestKeeper;

beforeAll(async () => {
  stage = await setStage({ positions: 20, sees: 'mempool' });
  node = await FaultProxy.start(stage.devnet.rpcUrl);
  door = await Doorkeeper.start(stage.devnet.builderUrl);
  const urls = { RPC_URLS: `${node.ws},${node.http}`, RELAY_URLS: door.url, MEV_SHARE_URL: `${stage.devnet.builderUrl}/hints` };
  keeper = startTestKeeper({ ...stage.environment, ...urls }, stage.folder);
  await keeper.until((line) => line.event === 'endpoint.changed' && line['kind'] === 'pending-from', 'the mempool');
  await keeper.until((line) => line.event === 'endpoint.changed' && line['kind'] === 'hints-from', 'the hints');
  await sealed();
  await sealed();
});
afterAll(async () => {
  await keeper?.stop();
  door?.stop();
  await node?.stop();
  await stage?.close();
});

async function sealed(): Promise<void> {
  const { number } = await stage.devnet.builder.seal();
  await keeper.until((line) => line.event === 'block.processed' && line['block'] === number, `block ${number}`);
}

// NOTE: test/keeper/backruns.test.ts holds a keeper of four times as many positions to the same three.
it('idle blocks take three calls each at most, their logs and one multicall among them', async () => {
  const blocks = 6;
  node.calls.length = 0;
  for (let block = 0; block < blocks; block++) await sealed();
  expect(node.calls).toEqual(expect.arrayContaining(['eth_getLogs', 'eth_call']));
  expect(node.calls.length).toBeLessThanOrEqual(3 * blocks);
});

it.each([
  ['in the mempool', 2_800_00000000n, transmit],
  ['behind a hint', 2_600_00000000n, offer],
] as const)(
  'from the sight of an update %s to the bundle the node is asked for the nonce, once, and for nothing else that is waited for',
  async (_, answer, handIn) => {
    await sealed();
    const arrived = door.bundle();
    node.calls.length = 0;
    // What else is asked meanwhile, of older blocks or to doubt the bundle, is not answered until it is out.
    node.fault = { kind: 'only', methods: [NONCE] };
    await handIn(stage.devnet.rpcUrl, stage.devnet.market.feeds['ETH / USD']!, answer);
    await arrived;
    expect(node.calls.filter((method) => method === NONCE)).toHaveLength(1);
    node.fault = { kind: 'none' };
    node.dropSockets();
  },
);

async function offer(...args: Parameters<typeof transmit>): Promise<void> {
  const { raw } = await signTransmit(...args);
  await offerPrivately(stage.devnet.builderUrl, raw);
}
