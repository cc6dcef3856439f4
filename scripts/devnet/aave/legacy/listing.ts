/** Lists the v3.0 market's reserves: with debts at fixed rates, and a category of dollars that has a price of its own. */
import { type Address, zeroAddress } from 'viem';
import { ASSETS, type Asset, EMODES, type EMode } from '../../assets.ts';
import type { SetupChain } from '../../chain.ts';
import type { LegacyAave } from './deploy.ts';

/** Debt ceilings have two decimals. */
const DEBT_CEILING_UNIT = 100n;
/** Basis points in rays. */
const RAY_PER_BPS = 10n ** 23n;
/** Basis points: yearly rates up to the kink and from there, above the variable one at the kink, above that when much is owed so; and how much is much. */
const STABLE = { slope1: 50n, slope2: 6_000n, offset: 150n, excessOffset: 500n, optimalShare: 2_000n };
/** What may be owed at a fixed rate. */
export const FIXED_RATE_ASSETS: readonly string[] = ['USDC', 'DAI'];
/** NOTE: an asset can be of one category only, so that the third, of ETH against dollars, cannot be. */
const CATEGORIES = EMODES.filter(({ label }) => label !== 'ETH / USDC');
/** The dollars of the efficiency mode all count at the USDC feed's price. */
const priceKeyOf = ({ label }: EMode, sources: Record<string, Address>) => (label === 'Stablecoins' ? sources['USDC']! : zeroAddress);

/** NOTE: until `settleLegacyListing` one may borrow up to the liquidation threshold itself, as in the other market. */
export async function listLegacyReserves(
  chain: SetupChain,
  aave: LegacyAave,
  tokens: Record<string, Address>,
  sources: Record<string, Address>,
): Promise<void> {
  const configure = configurator(chain, aave);
  const symbols = ASSETS.map(({ symbol }) => symbol);
  // A category's price is asked of the oracle as if its source were an asset.
  const keys = [...symbols.map((symbol) => tokens[symbol]!), sources['USDC']!];
  const answered = [...symbols.map((symbol) => sources[symbol]!), sources['USDC']!];
  chain.call(aave.oracle, aave.artifacts['AaveOracle']!.abi, 'setAssetSources', [keys, answered]);
  for (const asset of ASSETS) configure('initReserves', [[reserveInput(chain, aave, asset, tokens[asset.symbol]!)]]);
  for (const asset of ASSETS) {
    const token = tokens[asset.symbol]!;
    const { liquidationThreshold, liquidationBonus, protocolFee } = asset.collateral;
    if (asset.debtCeilingUsd > 0n) configure('setDebtCeiling', [token, asset.debtCeilingUsd * DEBT_CEILING_UNIT]);
    configure('configureReserveAsCollateral', [token, liquidationThreshold, liquidationThreshold, liquidationBonus]);
    configure('setLiquidationProtocolFee', [token, protocolFee]);
    configure('setReserveFactor', [token, asset.reserveFactorBps]);
    configure('setReserveBorrowing', [token, true]);
    configure('setReserveFlashLoaning', [token, true]);
    if (FIXED_RATE_ASSETS.includes(asset.symbol)) configure('setReserveStableRateBorrowing', [token, true]);
    if (asset.borrowableInIsolation) configure('setBorrowableInIsolation', [token, true]);
  }
  for (const mode of CATEGORIES) {
    const { id, liquidationThreshold, liquidationBonus, label } = mode;
    configure('setEModeCategory', [id, liquidationThreshold, liquidationThreshold, liquidationBonus, priceKeyOf(mode, sources), label]);
    for (const symbol of mode.collateral) configure('setAssetEModeCategory', [tokens[symbol]!, id]);
  }
  await chain.mine();
}

/** Lowers the loan-to-values to their ordinary level and freezes what is to be frozen. */
export async function settleLegacyListing(
  chain: SetupChain,
  aave: LegacyAave,
  tokens: Record<string, Address>,
  sources: Record<string, Address>,
): Promise<void> {
  const configure = configurator(chain, aave);
  for (const { symbol, collateral, frozen } of ASSETS) {
    const { ltv, liquidationThreshold, liquidationBonus } = collateral;
    configure('configureReserveAsCollateral', [tokens[symbol]!, ltv, liquidationThreshold, liquidationBonus]);
    if (frozen) configure('setReserveFreeze', [tokens[symbol]!, true]);
  }
  for (const mode of CATEGORIES) {
    const { id, ltv, liquidationThreshold, liquidationBonus, label } = mode;
    configure('setEModeCategory', [id, ltv, liquidationThreshold, liquidationBonus, priceKeyOf(mode, sources), label]);
  }
  await chain.mine();
}

function configurator(chain: SetupChain, aave: LegacyAave) {
  return (functionName: string, args: readonly unknown[]) => chain.call(aave.poolConfigurator, aave.configuratorAbi, functionName, args);
}

/** Queues the reserve's interest rate strategy, which is a contract of its own in this release, and returns what lists the reserve. */
function reserveInput(chain: SetupChain, aave: LegacyAave, { symbol, decimals, rates }: Asset, underlyingAsset: Address) {
  const variable = [rates.optimalUsageRatio, rates.baseVariableBorrowRate, rates.variableRateSlope1, rates.variableRateSlope2].map(BigInt);
  const stable = [STABLE.slope1, STABLE.slope2, STABLE.offset, STABLE.excessOffset, STABLE.optimalShare];
  const strategy = chain.deploy(`rate strategy of ${symbol}`, aave.artifacts['DefaultReserveInterestRateStrategy']!, [
    aave.poolAddressesProvider,
    ...[...variable, ...stable].map((bps) => bps * RAY_PER_BPS),
  ]);
  return {
    aTokenImpl: aave.aTokenImplementation,
    stableDebtTokenImpl: aave.stableDebtTokenImplementation,
    variableDebtTokenImpl: aave.variableDebtTokenImplementation,
    underlyingAssetDecimals: decimals,
    interestRateStrategyAddress: strategy,
    underlyingAsset,
    treasury: aave.treasury,
    incentivesController: zeroAddress,
    aTokenName: `Aave Legacy ${symbol}`,
    aTokenSymbol: `aLeg${symbol}`,
    variableDebtTokenName: `Aave Legacy Variable Debt ${symbol}`,
    variableDebtTokenSymbol: `variableDebtLeg${symbol}`,
    stableDebtTokenName: `Aave Legacy Stable Debt ${symbol}`,
    stableDebtTokenSymbol: `stableDebtLeg${symbol}`,
    params: '0x',
  };
}
