/** Two feeds on a chain without slots, with what is mirrored of them. */
import type { Address, Hex } from 'viem';
import { type Anvil, startAnvil } from '../../scripts/devnet/anvil.ts';
import { SetupChain } from '../../scripts/devnet/chain.ts';
import { devAccount } from '../../scripts/devnet/keys.ts';
import { oracleArtifacts } from '../../scripts/devnet/oracle/contracts.ts';
import { deployFeeds } from '../../scripts/devnet/oracle/feeds.ts';
import { buildTransmit, type Feed } from '../../scripts/devnet/oracle/report.ts';
import { ownContracts } from '../../scripts/devnet/tokens.ts';
import { Feeds } from '../../src/oracles/feeds.ts';
import { OcrAggregators } from '../../src/oracles/ocr-aggregators.ts';
import type { HintSighting } from '../../src/oracles/updates.ts';
import { ChainFollower } from '../support/chain-follower.ts';

export type OracleScene = {
  readonly anvil: Anvil;
  readonly chain: SetupChain;
  readonly ether: Feed;
  readonly bitcoin: Feed;
  readonly multicall3: Address;
  readonly artifacts: Awaited<ReturnType<typeof oracleArtifacts>>;
};

export const lower = (address: Address) => address.toLowerCase() as Address;

export async function openOracleScene(): Promise<OracleScene> {
  const anvil = await startAnvil();
  const chain = new SetupChain(anvil.rpcUrl, devAccount('deployer'));
  await chain.prepare();
  const multicall3 = chain.deploy('Multicall3', (await ownContracts())['Multicall3']!);
  const [ether, bitcoin] = (await deployFeeds(chain, [
    { name: 'ETH / USD', decimals: 8, initialAnswer: 3_000_00000000n },
    { name: 'BTC / USD', decimals: 8, initialAnswer: 90_000_00000000n },
  ])) as [Feed, Feed];
  return { anvil, chain, ether, bitcoin, multicall3, artifacts: await oracleArtifacts() };
}

/** Anchored at the head, senders of forwarders included. */
export async function mirrorOf({ anvil, multicall3, ether, bitcoin }: OracleScene) {
  const feeds = new Feeds();
  feeds.want([lower(ether.proxy), lower(bitcoin.proxy)]);
  const known = new OcrAggregators(feeds);
  const follower = new ChainFollower(anvil.rpcUrl, multicall3, [feeds, known]);
  await follower.anchor();
  return { feeds, known, follower };
}

/** What consumers of the proxy are answered. */
export async function answered({ chain, artifacts }: OracleScene, feed: Feed) {
  const round = await chain.read<readonly bigint[]>(feed.proxy, artifacts.proxy.abi, 'latestRoundData');
  return { roundId: round[0], answer: round[1], updatedAt: Number(round[3]) };
}

let hints = 0;

/** What would be told of this transmission if it were private. */
export async function hintOf(feed: Feed, answer: bigint, epoch: number, changed: Partial<HintSighting> = {}): Promise<HintSighting> {
  const { to, data } = await buildTransmit(feed, { answer, observationsTimestamp: 1_760_000_000 + epoch, epoch });
  const txHash: Hex = `0x${(++hints).toString(16).padStart(64, '0')}`;
  return { kind: 'hint', txHash, to: lower(to), data, seenAtMs: 0, ...changed };
}
