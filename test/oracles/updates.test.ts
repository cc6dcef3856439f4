/** Which transmissions count, and what feeds answer after them: held against the real contracts, by mining or calling what was judged. */
import type { Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Feed } from '../../scripts/devnet/oracle/report.ts';
import { signTransmit } from '../../scripts/devnet/oracle/transmit.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import type { OcrAggregators } from '../../src/oracles/ocr-aggregators.ts';
import {
  answersAfter,
  type HintSighting,
  isAhead,
  judgeSighting,
  type PriceUpdate,
  type PublicSighting,
  type Sighting,
} from '../../src/oracles/updates.ts';
import { answered, hintOf, lower, mirrorOf, type OracleScene, openOracleScene } from './oracle-scene.ts';

let scene: OracleScene;
beforeAll(async () => {
  scene = await openOracleScene();
}, 120_000);
afterAll(async () => {
  await scene?.anvil.stop();
});

const nextTimestamp = (head: { timestamp: number }) => head.timestamp + 12;

/** The next genuine transmission, in the mempool. */
async function sent(feed: Feed, answer: bigint): Promise<PublicSighting> {
  const { raw, from, nonce } = await signTransmit(scene.anvil.rpcUrl, feed, answer);
  const txHash = await rpc<Hex>(scene.anvil.rpcUrl, 'eth_sendRawTransaction', [raw]);
  const body = await rpc<{ to: Hex; input: Hex }>(scene.anvil.rpcUrl, 'eth_getTransactionByHash', [txHash]);
  return {
    ...{ kind: 'public', txHash, raw, from: lower(from), nonce, to: lower(body.to), data: body.input },
    ...{ gas: 400_000n, maxFeePerGasWei: 0n, maxPriorityFeePerGasWei: 0n, seenAtMs: 0 },
  };
}

function accepted(sighting: Sighting, known: OcrAggregators, timestamp: number): PriceUpdate {
  const judgement = judgeSighting(sighting, known, timestamp);
  if (judgement.kind === 'rejected') throw new Error(`rejected as ${judgement.rejected.reason}`);
  return judgement.update;
}

describe('a genuine transmission', () => {
  it('is decoded before it is mined to exactly what the feed answers after', async () => {
    const { known, follower } = await mirrorOf(scene);
    const update = accepted(await sent(scene.ether, 2_950_12345678n), known, nextTimestamp(follower.head));
    await scene.chain.mine();
    expect(update.feeds).toEqual(new Map([[lower(scene.ether.proxy), await answered(scene, scene.ether)]]));
  });

  it('is over once it is mined, and ahead again when its block is taken back', async () => {
    const { known, follower } = await mirrorOf(scene);
    const { number } = follower.head;
    const update = accepted(await sent(scene.ether, 2_960_00000000n), known, nextTimestamp(follower.head));
    expect(isAhead(update, known)).toBe(true);
    await scene.chain.mine();
    await follower.advance();
    expect(isAhead(update, known)).toBe(false);
    follower.takeBackTo(number);
    expect(isAhead(update, known)).toBe(true);
  });
});

/** Mines these calls by the feed's own node, in this order, whatever becomes of them; then the chain is as before. */
async function answeredIfMined(feed: Feed, hints: readonly HintSighting[], of: readonly Feed[]) {
  const { rpcUrl } = scene.anvil;
  const snapshot = await rpc<Hex>(rpcUrl, 'evm_snapshot');
  const node = privateKeyToAccount(feed.transmitterKey);
  const nonce = Number(await rpc<Hex>(rpcUrl, 'eth_getTransactionCount', [node.address, 'latest']));
  for (const [place, { to, data }] of hints.entries()) {
    const fees = { maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 0n, gas: 500_000n };
    const raw = await node.signTransaction({ type: 'eip1559', chainId: 7777, nonce: nonce + place, to, data, ...fees });
    await rpc(rpcUrl, 'eth_sendRawTransaction', [raw]);
  }
  await scene.chain.mine();
  const answers = [];
  for (const each of of) answers.push([lower(each.proxy), await answered(scene, each)] as const);
  await rpc(rpcUrl, 'evm_revert', [snapshot]);
  return new Map(answers);
}

describe('two pending updates of one feed', () => {
  it('move it to the later report when they land in order, and to the newer when they do not', async () => {
    const { known, follower } = await mirrorOf(scene);
    const timestamp = nextTimestamp(follower.head);
    const older = accepted(await hintOf(scene.ether, 2_900_00000000n, 50), known, timestamp);
    const newer = accepted(await hintOf(scene.ether, 2_850_00000000n, 51), known, timestamp);
    for (const order of [
      [older, newer],
      [newer, older],
    ]) {
      const hints = order.map(({ sighting }) => sighting as HintSighting);
      expect(answersAfter(order, known, timestamp)).toEqual(await answeredIfMined(scene.ether, hints, [scene.ether]));
    }
    expect(answersAfter([older, newer], known, timestamp)).not.toEqual(answersAfter([newer, older], known, timestamp));
  });
});

describe('what is rejected by name, and refused by the contracts', () => {
  const stranger = `0x${'51'.repeat(20)}` as const;
  const asPublic = (hint: HintSighting, from: Hex): PublicSighting => ({
    ...hint,
    ...{ kind: 'public', from: lower(from), raw: '0x', nonce: 0, gas: 0n, maxFeePerGasWei: 0n, maxPriorityFeePerGasWei: 0n },
  });
  const node = () => lower(privateKeyToAccount(scene.ether.transmitterKey).address);

  async function verdict(sighting: Sighting) {
    const { known } = await mirrorOf(scene);
    const judgement = judgeSighting(sighting, known, 0);
    const from = sighting.kind === 'public' ? sighting.from : node();
    const taken = await rpc(scene.anvil.rpcUrl, 'eth_call', [{ from, to: sighting.to, data: sighting.data }, 'latest']).then(
      () => true,
      () => false,
    );
    return { is: judgement.kind === 'update' ? 'an update' : judgement.rejected.reason, taken };
  }

  it('nothing is wrong with the next report, hinted or public', async () => {
    const hint = await hintOf(scene.ether, 2_980_00000000n, 60);
    expect(await verdict(hint)).toEqual({ is: 'an update', taken: true });
    expect(await verdict(asPublic(hint, node()))).toEqual({ is: 'an update', taken: true });
  });

  it('a report that was transmitted already', async () => {
    expect(await verdict(await hintOf(scene.ether, 2_980_00000000n, 1))).toEqual({ is: 'stale', taken: false });
  });

  it("another aggregator's report", async () => {
    const mixed = { ...scene.ether, configDigest: scene.bitcoin.configDigest };
    expect(await verdict(await hintOf(mixed, 2_980_00000000n, 60))).toEqual({ is: 'wrong-digest', taken: false });
  });

  it('a median outside the aggregator’s own bounds', async () => {
    expect(await verdict(await hintOf(scene.ether, 0n, 60))).toEqual({ is: 'out-of-range', taken: false });
  });

  it('a sender whom the forwarder does not know', async () => {
    const hint = await hintOf(scene.ether, 2_980_00000000n, 60);
    expect(await verdict(asPublic(hint, stranger))).toEqual({ is: 'unauthorized-sender', taken: false });
  });

  it('a sender who transmits without being a transmitter', async () => {
    const direct = await hintOf(scene.ether, 2_980_00000000n, 60, { to: lower(scene.ether.aggregator) });
    const data = `0x${direct.data.slice(2 + 8 + 3 * 64, direct.data.length - 2 * padding(direct.data))}` as Hex;
    expect(await verdict(asPublic({ ...direct, data }, stranger))).toEqual({ is: 'not-a-transmitter', taken: false });
  });

  it("another feed's forwarder", async () => {
    const wrong = await hintOf(scene.ether, 2_980_00000000n, 60, { to: lower(scene.bitcoin.forwarder) });
    const sender = lower(privateKeyToAccount(scene.bitcoin.transmitterKey).address);
    expect(await verdict(asPublic(wrong, sender))).toEqual({ is: 'not-a-transmitter', taken: false });
  });

  it('calldata that is cut off', async () => {
    const { data, ...hint } = await hintOf(scene.ether, 2_980_00000000n, 60);
    expect(await verdict({ ...hint, data: data.slice(0, -128) as Hex })).toEqual({ is: 'malformed', taken: false });
  });

  it('an aggregator behind no wanted feed', async () => {
    const { data, ...hint } = await hintOf({ ...scene.ether, aggregator: stranger }, 2_980_00000000n, 60);
    const { known } = await mirrorOf(scene);
    expect(judgeSighting({ ...hint, data }, known, 0)).toMatchObject({ kind: 'rejected', rejected: { reason: 'unknown-aggregator' } });
  });

  it('a price from another world, which the contracts would take: it is held until its signatures speak for it', async () => {
    const hint = await hintOf(scene.ether, 9_000_00000000n, 60);
    expect(await verdict(hint)).toEqual({ is: 'implausible', taken: true });
    const { known } = await mirrorOf(scene);
    expect(judgeSighting(hint, known, 0)).toMatchObject({ held: { transmission: { median: 9_000_00000000n } } });
  });
});

/** What forward(address,bytes) pads its bytes with. */
function padding(data: Hex): number {
  const bytes = Number.parseInt(data.slice(2 + 8 + 2 * 64, 2 + 8 + 3 * 64), 16);
  return (32 - (bytes % 32)) % 32;
}

describe('the mirrored aggregator', () => {
  it('follows a new configuration and new senders, and asks for nothing in an idle block', async () => {
    const { known, follower } = await mirrorOf(scene);
    const aggregator = lower(scene.bitcoin.aggregator);
    const before = known.state(aggregator)!;
    expect(known.reads(follower.head)).toEqual([]);
    const { chain, artifacts, bitcoin } = scene;
    const someone = `0x${'61'.repeat(20)}` as const;
    const signers = bitcoin.signers.map(({ address }) => address);
    const transmitters = [bitcoin.forwarder, ...[1, 2, 3].map((n) => `0x${`0${n}`.repeat(20)}` as Hex)];
    chain.call(bitcoin.aggregator, artifacts.aggregator.abi, 'setConfig', [signers, transmitters, 1, '0x', 2n, '0x']);
    chain.call(bitcoin.forwarder, artifacts.forwarder.abi, 'setAuthorizedSenders', [[someone]]);
    await chain.mine();
    await follower.advance();
    const after = known.state(aggregator)!;
    expect(after.configDigest).not.toBe(before.configDigest);
    expect([...after.transmitters].toSorted()).toEqual(transmitters.map(lower).toSorted());
    expect([...known.sendersOf(lower(bitcoin.forwarder))!]).toEqual([someone]);
    await chain.mine();
    await follower.advance();
    expect(known.reads(follower.head)).toEqual([]);
    follower.takeBackTo(follower.head.number - 2);
    expect(known.state(aggregator)).toEqual(before);
  });

  it('takes an account for no forwarder', async () => {
    const { known } = await mirrorOf(scene);
    const accounts = [...known.state(lower(scene.ether.aggregator))!.transmitters].filter((each) => each !== lower(scene.ether.forwarder));
    expect(accounts.map((account) => known.sendersOf(account))).toEqual(accounts.map(() => null));
    const { data, ...hint } = await hintOf(scene.ether, 2_980_00000000n, 60);
    expect(judgeSighting({ ...hint, to: accounts[0]!, data }, known, 0)).toMatchObject({ rejected: { reason: 'unauthorized-sender' } });
  });
});
