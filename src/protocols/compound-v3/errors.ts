import type { Refusals } from '../registry.ts';

/** What absorbing and buying can be refused with (CometMainInterface.sol). */
export const refusals: Refusals = {
  errors: [
    'BadAsset()',
    'BadPrice()',
    'InsufficientReserves()',
    'NotForSale()',
    'NotLiquidatable()',
    'Paused()',
    'ReentrantCallBlocked()',
    'TooMuchSlippage()',
    'TransferInFailed()',
    'TransferOutFailed()',
  ],
};
