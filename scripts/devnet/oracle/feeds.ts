/** Deploys price feeds as Chainlink wires them: proxy -> aggregator <- forwarder <- the node's own account. */
import { type Hex, keccak256, parseEther, toHex, zeroAddress } from 'viem';
import { privateKeyToAccount, privateKeyToAddress } from 'viem/accounts';
import { GENESIS_TIMESTAMP } from '../anvil.ts';
import type { SetupChain } from '../chain.ts';
import { oracleArtifacts } from './contracts.ts';
import { aggregatorAbi, buildTransmit, type Feed, type Signer } from './report.ts';

export type FeedSpec = {
  /** As the feed's description says it, e.g. `ETH / USD`. */
  name: string;
  decimals: number;
  initialAnswer: bigint;
};

const ORACLES = 4;
const F = 1;
/** The limits of mainnet's ETH/USD aggregator. */
const MIN_ANSWER = 1n;
const MAX_ANSWER = 2n ** 176n - 1n;
const OFFCHAIN_CONFIG_VERSION = 2n;
/** Mainnet's LINK, which a forwarder refuses to call; nothing is there on the devnet. */
const LINK = '0x514910771AF9Ca656af840dff83E8264EcF986CA';
const NODE_FUNDS_WEI = parseEther('100');

/**
 * Deploys the feeds, gives each its oracle set and its first answer; all of it is mined on return. Keys follow from the feeds' names, so
 * that one devnet is like the other.
 */
export async function deployFeeds(chain: SetupChain, specs: readonly FeedSpec[]): Promise<Feed[]> {
  const { aggregator, forwarder, proxy } = await oracleArtifacts();
  const wired: Omit<Feed, 'configDigest'>[] = [];
  for (const { name, decimals } of specs) {
    const signers = keysOf(name, 'signer');
    const nodes = keysOf(name, 'node');
    const node = nodes[0]!;
    const at = {
      forwarder: chain.deploy(`${name} forwarder`, forwarder, [LINK, chain.deployer.address, zeroAddress, '0x']),
      aggregator: chain.deploy(`${name} aggregator`, aggregator, [MIN_ANSWER, MAX_ANSWER, decimals, name]),
    };
    const proxyAddress = chain.deploy(`${name} proxy`, proxy, [at.aggregator, zeroAddress]);
    chain.call(at.forwarder, forwarder.abi, 'setAuthorizedSenders', [[node.address]]);
    // The other oracles transmit by their own accounts, as nodes without a forwarder do.
    const transmitters = [at.forwarder, ...nodes.slice(1).map(({ address }) => address)];
    const oracles = signers.map(({ address }) => address);
    chain.call(at.aggregator, aggregator.abi, 'setConfig', [oracles, transmitters, F, '0x', OFFCHAIN_CONFIG_VERSION, '0x']);
    wired.push({ name, decimals, proxy: proxyAddress, ...at, signers, f: F, transmitterKey: node.privateKey });
  }
  await chain.fund(
    wired.map(({ transmitterKey }) => privateKeyToAddress(transmitterKey)),
    NODE_FUNDS_WEI,
  );
  await chain.mine();

  const feeds: Feed[] = [];
  for (const [index, feed] of wired.entries()) {
    const [, , configDigest] = await chain.read<[number, number, Hex]>(feed.aggregator, aggregatorAbi, 'latestConfigDetails');
    feeds.push({ ...feed, configDigest });
    const { initialAnswer: answer } = specs[index]!;
    const first = await buildTransmit(feeds[index]!, { answer, observationsTimestamp: GENESIS_TIMESTAMP, epoch: 1 });
    chain.send(privateKeyToAccount(feed.transmitterKey), { ...first, label: `${feed.name}: first transmission` });
  }
  await chain.mine();
  return feeds;
}

function keysOf(feedName: string, role: string): Signer[] {
  return Array.from({ length: ORACLES }, (_, index) => {
    const privateKey = keccak256(toHex(`devnet oracle ${feedName} ${role} ${index}`));
    return { privateKey, address: privateKeyToAddress(privateKey) };
  });
}
