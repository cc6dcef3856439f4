import type { Refusals } from '../registry.ts';

/** Compound's later markets (ErrorReporter.sol of 2022), and Venus' liquidator contract. Most of the rest answers a number and goes on: the profit is missing then. */
export const refusals: Refusals = {
  errors: [
    'LiquidateAccrueBorrowInterestFailed(uint256 errorCode)',
    'LiquidateAccrueCollateralInterestFailed(uint256 errorCode)',
    'LiquidateComptrollerRejection(uint256 errorCode)',
    'LiquidateFreshnessCheck()',
    'LiquidateSeizeComptrollerRejection(uint256 errorCode)',
    'RedeemComptrollerRejection(uint256 errorCode)',
    'RedeemTransferOutNotPossible()',
    'RepayBorrowComptrollerRejection(uint256 errorCode)',
    'LiquidationFailed(uint256 errorCode)',
    'LiquidationNotAllowed(address borrower, address liquidator)',
    'MarketNotListed(address vToken)',
    'VAIDebtTooHigh(uint256 vaiDebt, uint256 minLiquidatableVAI)',
    'VTokenTransferFailed(address from, address to, uint256 amount)',
  ],
};
