import { parseAbi, parseEventLogs, toFunctionSelector } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Anvil, SLOT_SECONDS, startAnvil } from '../../scripts/devnet/anvil.ts';
import { SetupChain } from '../../scripts/devnet/chain.ts';
import { oracleArtifacts } from '../../scripts/devnet/oracle/contracts.ts';
import { deployFeeds } from '../../scripts/devnet/oracle/feeds.ts';
import { buildTransmit, type Feed } from '../../scripts/devnet/oracle/report.ts';
import { deployStakedEther, type StakedEther } from '../../scripts/devnet/oracle/staked-ether.ts';
import { transmit } from '../../scripts/devnet/oracle/transmit.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';

const deployer = privateKeyToAccount(`0x${'11'.repeat(32)}`);
const feedAbi = parseAbi([
  'function latestAnswer() view returns (int256)',
  'function latestRoundData() view returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)',
  'function getRoundData(uint80) view returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)',
  'function aggregator() view returns (address)',
  'function decimals() view returns (uint8)',
  'function description() view returns (string)',
]);
const stakedAbi = parseAbi([
  'function poke()',
  'function stEthPerToken() view returns (uint256)',
  'function getStETHByWstETH(uint256) view returns (uint256)',
]);
type Round = readonly [bigint, bigint, bigint, bigint, bigint];

let anvil: Anvil;
let chain: SetupChain;
let eth: Feed;
let btc: Feed;
let staked: StakedEther;

beforeAll(async () => {
  anvil = await startAnvil();
  chain = new SetupChain(anvil.rpcUrl, deployer);
  await chain.prepare();
  const feeds = await deployFeeds(chain, [
    { name: 'ETH / USD', decimals: 8, initialAnswer: 3_000_00000000n },
    { name: 'BTC / USD', decimals: 8, initialAnswer: 90_000_00000000n },
  ]);
  [eth, btc] = feeds as [Feed, Feed];
  staked = await deployStakedEther(chain, { ethUsdProxy: eth.proxy, initialRatioWad: 1_200000000000000000n, yearlyGrowthBps: 300n });
  await chain.mine();
}, 60_000);

afterAll(() => anvil?.stop());

const round = (feed: Feed) => chain.read<Round>(feed.proxy, feedAbi, 'latestRoundData');

async function mineBlock() {
  await rpc(anvil.rpcUrl, 'evm_mine');
  return rpc<{ number: `0x${string}`; timestamp: `0x${string}` }>(anvil.rpcUrl, 'eth_getBlockByNumber', ['latest', false]);
}

async function receipt(hash: string) {
  return rpc<{ status: string; gasUsed: string; logs: Parameters<typeof parseEventLogs>[0]['logs'] }>(
    anvil.rpcUrl,
    'eth_getTransactionReceipt',
    [hash],
  );
}

describe('the price oracle', () => {
  it('answers its first price through the proxy', async () => {
    expect(await chain.read(btc.proxy, feedAbi, 'latestAnswer')).toBe(90_000_00000000n);
    expect(await chain.read(btc.proxy, feedAbi, 'decimals')).toBe(8);
    expect(await chain.read(btc.proxy, feedAbi, 'description')).toBe('BTC / USD');
    expect(await chain.read(btc.proxy, feedAbi, 'aggregator')).toBe(btc.aggregator);
  });

  it('takes a signed transmission from the mempool and opens a round with the median', async () => {
    const before = await round(eth);
    const hash = await transmit(anvil.rpcUrl, eth, 2_900_12345678n);
    expect((await round(eth))[1]).toBe(before[1]);
    const block = await mineBlock();
    const after = await round(eth);
    expect(after[0]).toBe(before[0] + 1n);
    expect(after[1]).toBe(2_900_12345678n);
    expect(after[2]).toBe(BigInt(block.timestamp) - BigInt(SLOT_SECONDS));
    expect(after[3]).toBe(BigInt(block.timestamp));
    expect(await chain.read(eth.proxy, feedAbi, 'getRoundData', [after[0]])).toEqual(after);
    const { gasUsed } = await receipt(hash);
    expect(Number(gasUsed)).toBeGreaterThan(90_000);
    expect(Number(gasUsed)).toBeLessThan(130_000);
  });

  it('emits what the production aggregator emits', async () => {
    const hash = await transmit(anvil.rpcUrl, eth, 2_950_00000000n);
    await mineBlock();
    const { aggregator } = await oracleArtifacts();
    const events = parseEventLogs({ abi: aggregator.abi, logs: (await receipt(hash)).logs });
    expect(events.map((event) => 'eventName' in event && event.eventName)).toEqual([
      'Transmitted',
      'NewTransmission',
      'NewRound',
      'AnswerUpdated',
    ]);
    const args = (events[1] as unknown as { args: { answer: bigint; observations: bigint[]; observers: string; transmitter: string } })
      .args;
    expect(args).toMatchObject({
      answer: 2_950_00000000n,
      observers: '0x00010203',
      transmitter: eth.forwarder,
      configDigest: eth.configDigest,
    });
    expect(args.observations[2]).toBe(args.answer);
  });

  it('lets several reports of one feed wait for the same block', async () => {
    const before = await round(eth);
    await transmit(anvil.rpcUrl, eth, 2_800_00000000n);
    await transmit(anvil.rpcUrl, eth, 2_700_00000000n);
    await mineBlock();
    const after = await round(eth);
    expect(after[0]).toBe(before[0] + 2n);
    expect(after[1]).toBe(2_700_00000000n);
  });

  it('is updated by transmit inside forward', async () => {
    const { data, transmitData, to } = await buildTransmit(eth, { answer: 1n, observationsTimestamp: 1, epoch: 1_000 });
    expect(to).toBe(eth.forwarder);
    expect(data.slice(0, 10)).toBe(toFunctionSelector('forward(address,bytes)'));
    expect(transmitData.slice(0, 10)).toBe(toFunctionSelector('transmit(bytes32[3],bytes,bytes32[],bytes32[],bytes32)'));
  });
});

describe('what the aggregator refuses', () => {
  const refusal = async (feed: Feed, input: Parameters<typeof buildTransmit>[1], from?: string) => {
    const { to, data } = await buildTransmit(feed, input);
    const sender = from ?? privateKeyToAccount(feed.transmitterKey).address;
    return rpc(anvil.rpcUrl, 'eth_call', [{ from: sender, to, data }, 'latest']).then(
      () => 'taken',
      (error: Error) => error.message,
    );
  };
  const next = { answer: 2_500_00000000n, observationsTimestamp: 1_760_000_100, epoch: 500 };

  it('takes the same call when nothing is wrong with it', async () => {
    expect(await refusal(eth, next)).toBe('taken');
  });
  it('a report signed by somebody else', async () => {
    expect(await refusal({ ...eth, signers: btc.signers }, next)).toContain('address not authorized to sign');
  });
  it('too few signatures', async () => {
    expect(await refusal({ ...eth, f: 0 }, next)).toContain('wrong number of signatures');
  });
  it('an epoch that was already transmitted', async () => {
    expect(await refusal(eth, { ...next, epoch: 1 })).toContain('stale report');
  });
  it("another aggregator's report", async () => {
    expect(await refusal({ ...eth, configDigest: btc.configDigest }, next)).toContain('configDigest mismatch');
  });
  it('an answer outside its limits', async () => {
    expect(await refusal(eth, { ...next, answer: 0n })).toContain('median is out of min-max range');
  });
  it('a caller whom the forwarder does not know', async () => {
    expect(await refusal(eth, next, deployer.address)).toContain('Not authorized sender');
  });
});

describe('the staked-ether price', () => {
  const ratio = () => chain.read<bigint>(staked.token, stakedAbi, 'stEthPerToken');
  const price = () => chain.read<bigint>(staked.adapter, feedAbi, 'latestAnswer');

  it('is the ETH feed times the ratio', async () => {
    await transmit(anvil.rpcUrl, eth, 3_333_33333333n);
    await mineBlock();
    expect(await price()).toBe((3_333_33333333n * (await ratio())) / 10n ** 18n);
    expect(await chain.read(staked.adapter, feedAbi, 'decimals')).toBe(8);
  });

  it('grows with the ratio when it is poked, by the time that has passed', async () => {
    const before = await ratio();
    await rpc(anvil.rpcUrl, 'anvil_removeBlockTimestampInterval');
    await rpc(anvil.rpcUrl, 'evm_increaseTime', [365 * 86_400]);
    chain.call(staked.token, stakedAbi, 'poke', []);
    await chain.mine();
    const grown = await ratio();
    expect(Number(grown - before) / Number(before)).toBeCloseTo(0.03, 4);
    expect(await chain.read(staked.token, stakedAbi, 'getStETHByWstETH', [10n ** 18n])).toBe(grown);
    expect(await price()).toBe((3_333_33333333n * grown) / 10n ** 18n);
  });
});
