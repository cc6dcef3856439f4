/** Deploys Morpho Blue with its markets on the devnet's feeds, and a lender in each. */
import { type Address, encodeAbiParameters, type Hex, keccak256 } from 'viem';
import { assetOf } from '../assets.ts';
import type { SetupChain } from '../chain.ts';
import type { Feed } from '../oracle/report.ts';
import { type MorphoArtifacts, morphoArtifacts } from './contracts.ts';

export type MarketParams = { loanToken: Address; collateralToken: Address; oracle: Address; irm: Address; lltv: bigint };
export type MorphoMarket = { id: Hex; collateral: string; loan: string; params: MarketParams };
export type Morpho = {
  morpho: Address;
  preLiquidationFactory: Address;
  fromBlock: number;
  artifacts: MorphoArtifacts;
  irms: { adaptive: Address; mock: Address };
  markets: MorphoMarket[];
};

export type MarketSpec = { collateral: string; loan: string; lltvBps: bigint; irm: 'adaptive' | 'mock' | 'none' };

/** As on Ethereum: the same pairs, thresholds and kinds of oracle; one with the interest that Morpho's own mock charges. */
export const MARKETS: readonly MarketSpec[] = [
  { collateral: 'WETH', loan: 'USDC', lltvBps: 8600n, irm: 'adaptive' },
  { collateral: 'WBTC', loan: 'USDC', lltvBps: 8600n, irm: 'adaptive' },
  { collateral: 'LINK', loan: 'DAI', lltvBps: 7700n, irm: 'mock' },
  { collateral: 'WBTC', loan: 'WETH', lltvBps: 9150n, irm: 'adaptive' },
];

export const NO_ADDRESS: Address = '0x0000000000000000000000000000000000000000';
const WAD_PER_BPS = 10n ** 14n;

/** Queued on return, but for what it has to wait for; on chain after the next `chain.mine()`. */
export async function deployMorpho(
  chain: SetupChain,
  tokens: Record<string, Address>,
  feeds: Record<string, Feed>,
  specs: readonly MarketSpec[] = MARKETS,
): Promise<Morpho> {
  const artifacts = await morphoArtifacts();
  const fromBlock = (await chain.blockNumber()) + 1;
  const morpho = chain.deploy('Morpho', artifacts.morpho, [chain.deployer.address]);
  await chain.mine();
  const preLiquidationFactory = chain.deploy('pre-liquidation factory', artifacts.preLiquidationFactory, [morpho]);
  const irms = {
    adaptive: chain.deploy('adaptive-curve IRM', artifacts.adaptiveIrm, [morpho]),
    mock: chain.deploy('IRM mock', artifacts.irmMock),
  };
  for (const irm of [irms.adaptive, irms.mock, NO_ADDRESS]) chain.call(morpho, artifacts.morpho.abi, 'enableIrm', [irm]);
  for (const lltvBps of new Set(specs.map((spec) => spec.lltvBps)))
    chain.call(morpho, artifacts.morpho.abi, 'enableLltv', [lltvBps * WAD_PER_BPS]);
  const side = (symbol: string) => ({
    ...{ vault: NO_ADDRESS, sample: 1n, feed1: feeds[assetOf(symbol).feed]!.proxy, feed2: NO_ADDRESS },
    tokenDecimals: BigInt(assetOf(symbol).decimals),
  });
  const markets = specs.map(({ collateral, loan, lltvBps, irm }) => {
    const oracle = chain.deploy(`oracle ${collateral}/${loan}`, artifacts.oracle, [side(collateral), side(loan)]);
    const params = {
      ...{ loanToken: tokens[loan]!, collateralToken: tokens[collateral]!, oracle, lltv: lltvBps * WAD_PER_BPS },
      irm: irm === 'none' ? NO_ADDRESS : irms[irm],
    };
    chain.call(morpho, artifacts.morpho.abi, 'createMarket', [params]);
    return { id: idOf(params), params, collateral, loan };
  });
  await chain.mine();
  return { morpho, preLiquidationFactory, fromBlock, artifacts, irms, markets };
}

/** A market like another, with another threshold: not created yet. */
export function marketLike(like: MorphoMarket, lltv: bigint): MorphoMarket {
  const params = { ...like.params, lltv };
  return { ...like, id: idOf(params), params };
}

/** MarketParamsLib.id: the hash of the parameters. */
export function idOf({ loanToken, collateralToken, oracle, irm, lltv }: MarketParams): Hex {
  const words = ['address', 'address', 'address', 'address', 'uint256'].map((type) => ({ type }));
  return keccak256(encodeAbiParameters(words, [loanToken, collateralToken, oracle, irm, lltv]));
}
