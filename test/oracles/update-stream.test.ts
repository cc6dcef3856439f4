/** From anvil's mempool over its WebSocket to events: what is pending, what becomes of it, and what the signatures say. */
import type { Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Feed } from '../../scripts/devnet/oracle/report.ts';
import { signTransmit, transmit } from '../../scripts/devnet/oracle/transmit.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { PendingTransactions } from '../../src/chain/pending.ts';
import { RpcPool } from '../../src/chain/rpc.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import { interestOf, type UpdateEvent, UpdateStream } from '../../src/oracles/update-stream.ts';
import { answered, hintOf, lower, mirrorOf, type OracleScene, openOracleScene } from './oracle-scene.ts';

let scene: OracleScene;
let pool: RpcPool;
let follower: Awaited<ReturnType<typeof mirrorOf>>['follower'];
let stream: UpdateStream;
let mempool: PendingTransactions;
let events: UpdateEvent[];
let snapshot: Hex;

beforeAll(async () => {
  scene = await openOracleScene();
  pool = await RpcPool.open([new SecretUrl(scene.anvil.rpcUrl)]);
}, 120_000);
afterAll(async () => {
  pool?.close();
  await scene?.anvil.stop();
});

let told = () => {};
const tell = () => told();

/** Once an event like this has come (or had come already). */
async function event<K extends UpdateEvent['kind']>(kind: K, nth = 1): Promise<Extract<UpdateEvent, { kind: K }>> {
  for (;;) {
    const found = events.filter((one): one is Extract<UpdateEvent, { kind: K }> => one.kind === kind)[nth - 1];
    if (found !== undefined) return found;
    await new Promise<void>((resolve) => {
      told = resolve;
    });
  }
}

beforeEach(async () => {
  snapshot = await rpc<Hex>(scene.anvil.rpcUrl, 'evm_snapshot');
  const mirror = await mirrorOf(scene);
  follower = mirror.follower;
  events = [];
  stream = new UpdateStream({
    rpc: pool,
    known: mirror.known,
    next: () => ({ block: follower.head.number, timestamp: follower.head.timestamp + 12 }),
    onEvent: (one) => {
      events.push(one);
      tell();
    },
  });
  const open = Promise.withResolvers<void>();
  mempool = new PendingTransactions({
    urls: [new SecretUrl(scene.anvil.wsUrl)],
    interest: interestOf(mirror.known, stream),
    onTransaction: (transaction, seenAtMs) => stream.seeTransaction(transaction, seenAtMs),
    notify: (notice) => notice.kind === 'pending-from' && open.resolve(),
  });
  await open.promise;
});
afterEach(async () => {
  await mempool.close();
  await stream.close();
  await rpc(scene.anvil.rpcUrl, 'anvil_dropAllTransactions');
  await rpc(scene.anvil.rpcUrl, 'evm_revert', [snapshot]);
});

async function mine(): Promise<void> {
  await scene.chain.mine();
  await follower.advance();
  stream.onBlock(follower.head.number);
}

it('a genuine transmission is pending with its signed bytes, then genuine, then mined', async () => {
  const hash = await transmit(scene.anvil.rpcUrl, scene.ether, 2_950_12345678n);
  const { update } = await event('pending');
  const { sighting } = update;
  expect(sighting).toMatchObject({ kind: 'public', txHash: hash, from: lower(privateKeyToAccount(scene.ether.transmitterKey).address) });
  expect(stream.pending).toEqual([update]);
  expect((await event('genuine')).update).toBe(update);
  await mine();
  expect(update.feeds.get(lower(scene.ether.proxy))).toEqual(await answered(scene, scene.ether));
  expect(await event('gone')).toEqual({ kind: 'gone', update, why: 'mined' });
  expect(stream.pending).toEqual([]);
});

it('its bytes are those that its sender signed', async () => {
  const { raw } = await signTransmit(scene.anvil.rpcUrl, scene.ether, 2_960_00000000n);
  await rpc(scene.anvil.rpcUrl, 'eth_sendRawTransaction', [raw]);
  expect((await event('pending')).update.sighting).toMatchObject({ raw });
});

it('a forged report is gone as soon as its signatures are known', async () => {
  const forged: Feed = { ...scene.ether, signers: scene.bitcoin.signers };
  await transmit(scene.anvil.rpcUrl, forged, 2_800_00000000n);
  const { update } = await event('pending');
  expect(await event('gone')).toEqual({ kind: 'gone', update, why: 'forged' });
  expect(events.map(({ kind }) => kind)).toEqual(['pending', 'gone']);
});

it('an implausible report is rejected until its signatures turn out to be genuine', async () => {
  await transmit(scene.anvil.rpcUrl, scene.ether, 900_00000000n);
  expect((await event('rejected')).rejected.reason).toBe('implausible');
  await event('genuine');
  expect(events.map(({ kind }) => kind)).toEqual(['rejected', 'pending', 'genuine']);
  expect(stream.pending.map(({ transmission }) => transmission.median)).toEqual([900_00000000n]);
});

it('an implausible and forged report never becomes pending', async () => {
  stream.see(await hintOf({ ...scene.ether, signers: scene.bitcoin.signers }, 900_00000000n, 70));
  stream.see(await hintOf(scene.ether, 2_990_00000000n, 71));
  await event('genuine');
  expect(events.map(({ kind }) => kind)).toEqual(['rejected', 'pending', 'genuine']);
  expect(stream.pending.map(({ transmission }) => transmission.median)).toEqual([2_990_00000000n]);
});

it('another transaction with its nonce replaces it, whatever it does', async () => {
  const { raw, from, nonce } = await signTransmit(scene.anvil.rpcUrl, scene.ether, 2_940_00000000n);
  await rpc(scene.anvil.rpcUrl, 'eth_sendRawTransaction', [raw]);
  const { update } = await event('pending');
  const fees = { maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 10n ** 11n, gas: 21_000n };
  const account = privateKeyToAccount(scene.ether.transmitterKey);
  const cancel = await account.signTransaction({ type: 'eip1559', chainId: 7777, nonce, to: from, ...fees });
  await rpc(scene.anvil.rpcUrl, 'eth_sendRawTransaction', [cancel]);
  expect(await event('gone')).toEqual({ kind: 'gone', update, why: 'replaced' });
});

it('an update that a newer one overtook is stale, one that nobody takes is dropped after a while', async () => {
  stream.see(await hintOf(scene.ether, 2_930_00000000n, 2));
  stream.see(await hintOf(scene.bitcoin, 89_000_00000000n, 9));
  await rpc(scene.anvil.rpcUrl, 'anvil_setNextBlockBaseFeePerGas', ['0x3b9aca00']);
  const { data, to } = await hintOf(scene.ether, 2_920_00000000n, 3);
  const account = privateKeyToAccount(scene.ether.transmitterKey);
  const nonce = Number(await rpc<Hex>(scene.anvil.rpcUrl, 'eth_getTransactionCount', [account.address, 'latest']));
  const fees = { maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 1n, gas: 400_000n };
  const raw = await account.signTransaction({ type: 'eip1559', chainId: 7777, nonce, to, data, ...fees });
  await rpc(scene.anvil.rpcUrl, 'eth_sendRawTransaction', [raw]);
  await event('pending', 3);
  await mine();
  const gone = () => events.flatMap((one) => (one.kind === 'gone' ? [[one.update.transmission.median, one.why]] : []));
  expect(gone().toSorted()).toEqual([
    [2_920_00000000n, 'mined'],
    [2_930_00000000n, 'stale'],
  ]);
  for (let block = 0; block < 30; block++) await mine();
  expect(gone().at(-1)).toEqual([89_000_00000000n, 'dropped']);
});

it('a block that is taken back makes its update pending again', async () => {
  const { number } = follower.head;
  stream.see(await hintOf(scene.ether, 2_910_00000000n, 2));
  await transmit(scene.anvil.rpcUrl, scene.ether, 2_905_00000000n);
  await event('pending', 2);
  await mine();
  expect(stream.pending).toEqual([]);
  follower.takeBackTo(number);
  stream.onBlock(number);
  expect(stream.pending.map(({ transmission }) => transmission.median)).toEqual([2_910_00000000n, 2_905_00000000n]);
});
