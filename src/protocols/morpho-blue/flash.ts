import { parseAbiItem, toFunctionSelector } from 'viem';
import { calldataOf } from '../../lib/calldata.ts';
import { encodeSteps } from '../../lib/encode-steps.ts';
import type { Step } from '../../lib/steps.ts';
import type { Address } from '../../lib/types.ts';
import type { FlashSource } from '../../liquidity/types.ts';
import type { MorphoBlue } from './morpho-blue.ts';

const flashLoan = calldataOf(parseAbiItem('function flashLoan(address token, uint256 assets, bytes data)'));
const ON_FLASH_LOAN = toFunctionSelector('function onMorphoFlashLoan(uint256 assets, bytes data)');
/** `data` among the callback's arguments. */
const DATA_ARGUMENT = 1;
/** flashLoan around an empty callback with its repayment, measured on the devnet. */
const FLASH_GAS = 110_000n;

/** Morpho's own flash loans (Morpho.flashLoan): whatever it holds of a token, for nothing. */
export class MorphoBlueFlash implements FlashSource {
  readonly name: string;
  readonly #morpho: MorphoBlue;

  constructor(morpho: MorphoBlue) {
    this.name = morpho.id;
    this.#morpho = morpho;
  }

  feeRaw(token: Address, amountRaw: bigint, avoid: readonly Address[]): { feeRaw: bigint; gasUnits: bigint; lender: Address } | undefined {
    const { morpho, held } = this.#morpho.state;
    if (amountRaw === 0n || avoid.includes(morpho) || amountRaw > (held.get(token) ?? 0n)) return undefined;
    return { feeRaw: 0n, gasUnits: FLASH_GAS, lender: morpho };
  }

  steps(
    {
      token,
      amountRaw,
      lender,
    }: { readonly token: Address; readonly amountRaw: bigint; readonly feeRaw: bigint; readonly lender: Address },
    inner: readonly Step[],
  ): readonly Step[] {
    const payload = encodeSteps([...inner, { kind: 'approve', token, spender: lender, amountRaw }]);
    return [
      {
        kind: 'enter',
        target: lender,
        valueWei: 0n,
        data: flashLoan(token, amountRaw, payload),
        callback: { caller: lender, selector: ON_FLASH_LOAN, argument: DATA_ARGUMENT, payload, answer: '0x' },
      },
    ];
  }
}
