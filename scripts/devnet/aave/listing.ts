/** Lists reserves and efficiency modes, and changes them afterwards as a governance does. */
import { type Address, encodeAbiParameters, type Hex } from 'viem';
import { ASSETS, type Asset, EMODES } from '../assets.ts';
import type { SetupChain } from '../chain.ts';
import type { Aave } from './deploy.ts';

const RATE_DATA = [{ type: 'uint16' }, { type: 'uint32' }, { type: 'uint32' }, { type: 'uint32' }] as const;
/** Debt ceilings have two decimals. */
const DEBT_CEILING_UNIT = 100n;

/**
 * NOTE: until `settleListing` one may borrow up to the liquidation threshold itself: positions with a health factor of 1.001 could not be
 * opened otherwise, and stand on real chains because loan-to-values are lowered now and then.
 */
export async function listReserves(
  chain: SetupChain,
  aave: Aave,
  tokens: Record<string, Address>,
  sources: Record<string, Address>,
): Promise<void> {
  const configure = configurator(chain, aave);
  const symbols = ASSETS.map(({ symbol }) => symbol);
  chain.call(aave.oracle, aave.artifacts['AaveOracle']!.abi, 'setAssetSources', [
    symbols.map((symbol) => tokens[symbol]!),
    symbols.map((symbol) => sources[symbol]!),
  ]);
  // NOTE: one reserve a transaction: all of them together would pass EIP-7825's cap.
  for (const asset of ASSETS) configure('initReserves', [[reserveInput(aave, asset, tokens[asset.symbol]!)]]);
  for (const asset of ASSETS) {
    const token = tokens[asset.symbol]!;
    const { liquidationThreshold, liquidationBonus, protocolFee } = asset.collateral;
    if (asset.debtCeilingUsd > 0n) configure('setDebtCeiling', [token, asset.debtCeilingUsd * DEBT_CEILING_UNIT]);
    configure('configureReserveAsCollateral', [token, liquidationThreshold, liquidationThreshold, liquidationBonus]);
    configure('setLiquidationProtocolFee', [token, protocolFee]);
    configure('setReserveFactor', [token, asset.reserveFactorBps]);
    configure('setSupplyCap', [token, asset.supplyCap]);
    configure('setBorrowCap', [token, asset.borrowCap]);
    configure('setReserveBorrowing', [token, true]);
    configure('setReserveFlashLoaning', [token, true]);
    if (asset.borrowableInIsolation) configure('setBorrowableInIsolation', [token, true]);
  }
  for (const mode of EMODES) {
    configure('setEModeCategory', [mode.id, mode.liquidationThreshold, mode.liquidationThreshold, mode.liquidationBonus, mode.label]);
    for (const symbol of mode.collateral) configure('setAssetCollateralInEMode', [tokens[symbol]!, mode.id, true]);
    for (const symbol of mode.borrowable) configure('setAssetBorrowableInEMode', [tokens[symbol]!, mode.id, true]);
  }
  await chain.mine();
}

/** Lowers the loan-to-values to their ordinary level and freezes what is to be frozen. */
export async function settleListing(chain: SetupChain, aave: Aave, tokens: Record<string, Address>): Promise<void> {
  const configure = configurator(chain, aave);
  for (const { symbol, collateral, frozen } of ASSETS) {
    const { ltv, liquidationThreshold, liquidationBonus } = collateral;
    configure('configureReserveAsCollateral', [tokens[symbol]!, ltv, liquidationThreshold, liquidationBonus]);
    if (frozen) configure('setReserveFreeze', [tokens[symbol]!, true]);
  }
  for (const mode of EMODES) {
    configure('setEModeCategory', [mode.id, mode.ltv, mode.liquidationThreshold, mode.liquidationBonus, mode.label]);
  }
  await chain.mine();
}

function configurator(chain: SetupChain, aave: Aave) {
  const { abi } = aave.artifacts['PoolConfiguratorInstance']!;
  return (functionName: string, args: readonly unknown[]) => chain.call(aave.poolConfigurator, abi, functionName, args);
}

function reserveInput(aave: Aave, asset: Asset, underlyingAsset: Address) {
  return {
    aTokenImpl: aave.aTokenImplementation,
    variableDebtTokenImpl: aave.variableDebtTokenImplementation,
    underlyingAsset,
    aTokenName: `Aave Devnet ${asset.symbol}`,
    aTokenSymbol: `aDev${asset.symbol}`,
    variableDebtTokenName: `Aave Devnet Variable Debt ${asset.symbol}`,
    variableDebtTokenSymbol: `variableDebtDev${asset.symbol}`,
    params: '0x',
    interestRateData: rateDataOf(asset),
  };
}

/** The asset's interest curve as the release's one rate strategy wants it. */
export function rateDataOf({ rates }: Asset): Hex {
  const { optimalUsageRatio, baseVariableBorrowRate, variableRateSlope1, variableRateSlope2 } = rates;
  return encodeAbiParameters(RATE_DATA, [optimalUsageRatio, baseVariableBorrowRate, variableRateSlope1, variableRateSlope2]);
}
