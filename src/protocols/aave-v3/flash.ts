import { parseAbiItem, toFunctionSelector } from 'viem';
import { calldataOf } from '../../lib/calldata.ts';
import { encodeSteps } from '../../lib/encode-steps.ts';
import type { Step } from '../../lib/steps.ts';
import type { Address, Hex } from '../../lib/types.ts';
import type { FlashSource } from '../../liquidity/types.ts';
import type { AaveV3Market } from './market.ts';

const flashLoanSimple = calldataOf(
  parseAbiItem('function flashLoanSimple(address receiverAddress, address asset, uint256 amount, bytes params, uint16 referralCode)'),
);
const EXECUTE_OPERATION = toFunctionSelector(
  'function executeOperation(address asset, uint256 amount, uint256 premium, address initiator, bytes params)',
);
/** `params` among the callback's arguments. */
const PARAMS_ARGUMENT = 4;
/** The callback answers true. */
const TRUE: Hex = `0x${'1'.padStart(64, '0')}`;
/** flashLoanSimple around an empty callback with its repayment, measured on the 3.6 contracts. */
const FLASH_GAS = 150_000n;

/** The pool's own flash loans (FlashLoanLogic.executeFlashLoanSimple): any asset it holds, for a premium in the release's rounding. */
export class AaveV3Flash implements FlashSource {
  readonly name: string;
  readonly #market: AaveV3Market;

  constructor(market: AaveV3Market) {
    this.name = market.id;
    this.#market = market;
  }

  feeRaw(token: Address, amountRaw: bigint, avoid: readonly Address[]): { feeRaw: bigint; gasUnits: bigint; lender: Address } | undefined {
    const { byAsset, addresses, flashPremiumBps, rules } = this.#market.state;
    const reserve = byAsset.get(token);
    if (reserve === undefined || avoid.includes(addresses.pool)) return undefined;
    const { active, paused, flashLoanEnabled } = reserve.config;
    if (!active || paused || !flashLoanEnabled || amountRaw > reserve.availableRaw) return undefined;
    return { feeRaw: rules.flashFeeRaw(amountRaw, flashPremiumBps), gasUnits: FLASH_GAS, lender: addresses.pool };
  }

  steps(
    loan: { readonly token: Address; readonly amountRaw: bigint; readonly feeRaw: bigint; readonly lender: Address },
    inner: readonly Step[],
    executor: Address,
  ): readonly Step[] {
    const { token, amountRaw, feeRaw, lender } = loan;
    // The pool takes its money back after the callback, by allowance.
    const payload = encodeSteps([...inner, { kind: 'approve', token, spender: lender, amountRaw: amountRaw + feeRaw }]);
    return [
      {
        kind: 'enter',
        target: lender,
        valueWei: 0n,
        data: flashLoanSimple(executor, token, amountRaw, payload, 0),
        callback: { caller: lender, selector: EXECUTE_OPERATION, argument: PARAMS_ARGUMENT, payload, answer: TRUE },
      },
    ];
  }
}
