/** Errors of the contracts that a sequence meets, by signature: what a plan failed of is told by name. Selectors are computed when this is loaded. */
import { parseAbi } from 'viem';

/** Aave v3.4 and later: what liquidating, flash-borrowing and moving its tokens can be refused with (Errors.sol and ValidationLogic.sol). */
const aave = [
  'AssetNotListed()',
  'CallerMustBePool()',
  'CallerNotAToken()',
  'CollateralCannotBeLiquidated()',
  'FlashloanDisabled()',
  'HealthFactorLowerThanLiquidationThreshold()',
  'HealthFactorNotBelowThreshold()',
  'InconsistentFlashloanParams()',
  'InvalidAmount()',
  'InvalidBurnAmount()',
  'InvalidFlashloanExecutorReturn()',
  'InvalidInterestRateModeSelected()',
  'InvalidMintAmount()',
  'LiquidationGraceSentinelCheckFailed()',
  'LtvValidationFailed()',
  'MustNotLeaveDust()',
  'NoDebtOfSelectedType()',
  'NotEnoughAvailableUserBalance()',
  'OperationNotSupported()',
  'PriceOracleSentinelCheckFailed()',
  'ReserveFrozen()',
  'ReserveInactive()',
  'ReservePaused()',
  'SelfLiquidation()',
  'SpecifiedCurrencyNotBorrowedByUser()',
  'SupplyCapExceeded()',
  'UnderlyingBalanceZero()',
  'ZeroAddressNotValid()',
];

/** ERC-6093, and the libraries that most tokens and protocols are built with. */
const tokens = [
  'ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)',
  'ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)',
  'ERC20InvalidApprover(address approver)',
  'ERC20InvalidReceiver(address receiver)',
  'ERC20InvalidSender(address sender)',
  'ERC20InvalidSpender(address spender)',
  'SafeERC20FailedOperation(address token)',
  'SafeCastOverflowedUintDowncast(uint8 bits, uint256 value)',
];

export const protocolErrors = parseAbi([...aave, ...tokens].map((signature) => `error ${signature}`));

/** Aave before 3.4 says a number, as text (Errors.sol of 3.0 to 3.3). */
const aaveCodes: Readonly<Record<string, string>> = {
  13: 'INVALID_FLASHLOAN_EXECUTOR_RETURN',
  23: 'CALLER_MUST_BE_POOL',
  24: 'INVALID_MINT_AMOUNT',
  25: 'INVALID_BURN_AMOUNT',
  26: 'INVALID_AMOUNT',
  27: 'RESERVE_INACTIVE',
  28: 'RESERVE_FROZEN',
  29: 'RESERVE_PAUSED',
  32: 'NOT_ENOUGH_AVAILABLE_USER_BALANCE',
  35: 'HEALTH_FACTOR_LOWER_THAN_LIQUIDATION_THRESHOLD',
  39: 'NO_DEBT_OF_SELECTED_TYPE',
  43: 'UNDERLYING_BALANCE_ZERO',
  45: 'HEALTH_FACTOR_NOT_BELOW_THRESHOLD',
  46: 'COLLATERAL_CANNOT_BE_LIQUIDATED',
  47: 'SPECIFIED_CURRENCY_NOT_BORROWED_BY_USER',
  49: 'INCONSISTENT_FLASHLOAN_PARAMS',
  59: 'PRICE_ORACLE_SENTINEL_CHECK_FAILED',
  91: 'FLASHLOAN_DISABLED',
  97: 'LIQUIDATION_GRACE_SENTINEL_CHECK_FAILED',
  103: 'MUST_NOT_LEAVE_DUST',
};

/** What a text of a number alone means where it means anything: nobody but Aave reverts with such a text. */
export function meaningOfCode(text: string): string | undefined {
  return Object.hasOwn(aaveCodes, text) ? aaveCodes[text] : undefined;
}
