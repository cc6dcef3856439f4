/** Deploys price feeds as Chainlink wires them: proxy -> aggregator <- forwarder <- the node's own account. */
import { type Hex, keccak256, parseEther, toHex } from 'viem';
import { privateKeyToAddress } from 'viem/accounts';
import { oracleArtifacts } from './contracts.ts';
import { aggregatorAbi, type Feed, type Signer } from './report.ts';
import { connect, minedReceipt, openSequence } from './sequence.ts';
import { transmit } from './transmit.ts';

export type FeedSpec = {
  /** As the feed's description says it, e.g. `ETH / USD`. */
  name: string;
  decimals: number;
  initialAnswer: bigint;
};

/** A chain that mines by itself (automine or on an interval), and the account that pays for and owns what is deployed. */
export type DeployOn = { rpcUrl: string; deployerKey: Hex };

const ORACLES = 4;
const F = 1;
/** The limits of mainnet's ETH/USD aggregator. */
const MIN_ANSWER = 1n;
const MAX_ANSWER = 2n ** 176n - 1n;
/** Mainnet's LINK, which a forwarder refuses to call; nothing is there on the devnet. */
const LINK = '0x514910771AF9Ca656af840dff83E8264EcF986CA';
const ANYONE = '0x0000000000000000000000000000000000000000';
const NODE_FUNDS_WEI = parseEther('100');

/**
 * Deploys the feeds, gives each its oracle set and its first answer. Keys follow from the feeds' names, so a devnet is the same every time.
 * NOTE: the deployer's nonces are used in a row from the pending one; nothing else may send from it meanwhile.
 */
export async function deployFeeds(chain: DeployOn, specs: readonly FeedSpec[]): Promise<Feed[]> {
  const artifacts = await oracleArtifacts();
  const sequence = await openSequence(chain.rpcUrl, chain.deployerKey);
  const owner = privateKeyToAddress(chain.deployerKey);
  const deployed = [];
  for (const spec of specs) {
    const signers = keysOf(spec.name, 'signer');
    const nodes = keysOf(spec.name, 'node');
    const node = nodes[0]!;
    const forwarder = await sequence.deploy(artifacts.forwarder, [LINK, owner, ANYONE, '0x'], 2_000_000n);
    const aggregator = await sequence.deploy(artifacts.aggregator, [MIN_ANSWER, MAX_ANSWER, spec.decimals, spec.name], 4_000_000n);
    const proxy = await sequence.deploy(artifacts.proxy, [aggregator, ANYONE], 3_000_000n);
    await sequence.call(forwarder, artifacts.forwarder, 'setAuthorizedSenders', [[node.address]], 200_000n);
    // The other oracles transmit by their own accounts, as nodes without a forwarder do.
    const transmitters = [forwarder, ...nodes.slice(1).map(({ address }) => address)];
    const config = [signers.map(({ address }) => address), transmitters, F, '0x', 2n, '0x'];
    await sequence.call(aggregator, artifacts.aggregator, 'setConfig', config, 1_500_000n);
    await sequence.pay(node.address, NODE_FUNDS_WEI);
    deployed.push({ spec, feed: { proxy, aggregator, forwarder, signers, transmitterKey: node.privateKey } });
  }
  await sequence.mined();
  return Promise.all(deployed.map(({ spec, feed }) => firstAnswer(chain.rpcUrl, spec, feed)));
}

async function firstAnswer(
  rpcUrl: string,
  spec: FeedSpec,
  deployed: Omit<Feed, 'name' | 'decimals' | 'configDigest' | 'f'>,
): Promise<Feed> {
  const client = connect(rpcUrl);
  const [, , configDigest] = await client.readContract({
    address: deployed.aggregator,
    abi: aggregatorAbi,
    functionName: 'latestConfigDetails',
  });
  const feed: Feed = { name: spec.name, decimals: spec.decimals, configDigest, f: F, ...deployed };
  await minedReceipt(client, await transmit(rpcUrl, feed, spec.initialAnswer), `${spec.name}: first transmission`);
  return feed;
}

function keysOf(feedName: string, role: string): Signer[] {
  return Array.from({ length: ORACLES }, (_, index) => {
    const privateKey = keccak256(toHex(`devnet oracle ${feedName} ${role} ${index}`));
    return { privateKey, address: privateKeyToAddress(privateKey) };
  });
}
