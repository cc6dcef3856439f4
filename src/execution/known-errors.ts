/** Errors of the contracts that a sequence meets, by signature: what a plan failed of is told by name. Selectors are computed when this is loaded. */
import { parseAbi } from 'viem';
import { PYTH_ERRORS } from '../oracles/pull/pyth.ts';
import { REFUSALS } from '../protocols/registry.ts';

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

export const protocolErrors = parseAbi(
  [...new Set([...REFUSALS.flatMap(({ errors }) => errors), ...tokens, ...PYTH_ERRORS])].map((signature) => `error ${signature}`),
);

const codes = new Map(REFUSALS.flatMap((one) => Object.entries(one.codes ?? {})));

/** What a text of a number alone means where it means anything. */
export function meaningOfCode(text: string): string | undefined {
  return codes.get(text);
}
