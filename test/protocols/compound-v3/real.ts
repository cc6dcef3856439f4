/** Compound's own market on a fork of a real chain, for the tests that ask nothing of it but what anybody may call. */
import { type Address, encodeDeployData, type Hex } from 'viem';
import { spawnAnvil } from '../../../scripts/devnet/anvil.ts';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import { Feeds } from '../../../src/oracles/feeds.ts';
import { CompoundV3 } from '../../../src/protocols/compound-v3/compound-v3.ts';
import { builtIn } from '../../../src/protocols/compound-v3/deployments.ts';
import { ChainFollower } from '../../support/chain-follower.ts';
import { type CometChain, hex, LIQUIDATOR } from './chain.ts';
import { priceFeedDoubles } from './doubles.ts';

/** Deep enough for an answer that no endpoint takes back; accounts met within so many blocks before are enough to compare with. */
const DEEP = 40;
const LOOK_BACK = 5_000;
const MULTICALL3: Address = '0xca11bde05977b3631167028862be2a173976ca11';
const WORD_DIGITS = 64;

/** @param url the real chain's archive; `FORK_BLOCK` says where to fork it */
export async function openReal(url: string): Promise<CometChain> {
  const chainId = Number(await rpc<Hex>(url, 'eth_chainId'));
  const [deployment] = builtIn(chainId)['compound-v3'];
  if (deployment === undefined) throw new Error(`no Compound III is known on chain ${chainId}`);
  const asked = process.env['FORK_BLOCK'];
  const block = asked === undefined || asked === '' ? Number(await rpc<Hex>(url, 'eth_blockNumber')) - DEEP : Number(asked);
  const forking = ['--fork-url', url, '--fork-block-number', String(block), '--no-rate-limit', '--no-storage-caching'];
  const anvil = await spawnAnvil([...forking, '--port', '0', '--accounts', '0']);
  try {
    const feeds = new Feeds();
    const protocol = new CompoundV3({ ...deployment, fromBlock: Math.max(0, block - LOOK_BACK) }, feeds, { usd8: () => undefined });
    const follower = new ChainFollower(anvil.rpcUrl, MULTICALL3, [protocol, feeds]);
    await follower.anchor();
    const setFeed = await runtimeOf(anvil.rpcUrl);
    return {
      ...{ url: anvil.rpcUrl, multicall3: MULTICALL3, comet: deployment.comet, protocol, feeds, follower, accounts: 0 },
      /** Puts a feed that answers what it is told to in each one's place. */
      async fall(share) {
        const { base, assets } = protocol.state.config;
        for (const priceFeed of new Set(assets.map((asset) => asset.priceFeed))) {
          const answer = protocol.state.feeds.get(priceFeed)?.answer;
          if (answer === undefined || priceFeed === base.priceFeed) continue;
          const fallen = BigInt(Math.round(Number(answer) * share));
          await rpc(anvil.rpcUrl, 'anvil_setCode', [priceFeed, setFeed]);
          await rpc(anvil.rpcUrl, 'anvil_setStorageAt', [priceFeed, word(0n), word(fallen)]);
        }
        await rpc(anvil.rpcUrl, 'evm_mine');
        await follower.advance();
      },
      async undone(act) {
        const before = follower.head.number;
        const snapshot = await rpc<Hex>(anvil.rpcUrl, 'evm_snapshot');
        try {
          await act();
        } finally {
          await rpc(anvil.rpcUrl, 'evm_revert', [snapshot]);
          follower.takeBackTo(before);
        }
      },
      fund: (baseRaw) => rpc(anvil.rpcUrl, 'anvil_dealERC20', [LIQUIDATOR, protocol.state.config.base.address, hex(baseRaw)]),
      close: anvil.stop,
    };
  } catch (error) {
    await anvil.stop();
    throw error;
  }
}

/** The code of a SetPriceFeedDouble: its answer is in its first word. */
async function runtimeOf(url: string): Promise<Hex> {
  const { SetPriceFeedDouble } = await priceFeedDoubles();
  const data = encodeDeployData({ abi: SetPriceFeedDouble!.abi, bytecode: SetPriceFeedDouble!.bytecode, args: [1n] });
  return rpc<Hex>(url, 'eth_call', [{ data }, 'latest']);
}

function word(value: bigint): Hex {
  return `0x${value.toString(16).padStart(WORD_DIGITS, '0')}`;
}
