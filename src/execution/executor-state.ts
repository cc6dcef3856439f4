import { decodeFunctionResult, encodeFunctionData } from 'viem';
import { getCode } from '../chain/actions/account.ts';
import { simulate } from '../chain/actions/simulate.ts';
import type { Rpc } from '../chain/types.ts';
import { executorAbi } from '../generated/executor.ts';
import type { Address } from '../lib/types.ts';

/** What a deployed Executor says of itself. */
export type ExecutorState = {
  readonly owner: Address;
  readonly treasury: Address;
  readonly wrappedNative: Address;
  readonly assets: readonly Address[];
  readonly operators: ReadonlySet<Address>;
};

/**
 * Undefined where there is no code, or something that does not answer as an Executor does.
 *
 * @param senders who would use it: which of them are operators is asked
 */
export async function readExecutor(rpc: Rpc, executor: Address, senders: readonly Address[]): Promise<ExecutorState | undefined> {
  if ((await getCode(rpc, executor)) === '0x') return undefined;
  const ask = async (functionName: 'owner' | 'treasury' | 'wrappedNative' | 'assets' | 'isOperator', args: readonly Address[] = []) => {
    const data = encodeFunctionData({ abi: executorAbi, functionName, args: args as never });
    const result = await simulate(rpc, { from: executor, to: executor, data });
    if (!result.ok) throw new NotAnExecutor();
    return decodeFunctionResult({ abi: executorAbi, functionName, data: result.data });
  };
  try {
    const operators = new Set<Address>();
    for (const sender of senders) if (String(await ask('isOperator', [sender])) === 'true') operators.add(sender);
    const lower = (value: unknown) => String(value).toLowerCase() as Address;
    return {
      owner: lower(await ask('owner')),
      treasury: lower(await ask('treasury')),
      wrappedNative: lower(await ask('wrappedNative')),
      assets: ((await ask('assets')) as readonly Address[]).map(lower),
      operators,
    };
  } catch (error) {
    if (
      error instanceof NotAnExecutor ||
      (error as Error).name === 'AbiDecodingZeroDataError' ||
      (error as Error).name === 'AbiDecodingDataSizeTooSmallError'
    )
      return undefined;
    throw error;
  }
}

class NotAnExecutor extends Error {}

export type ExecutorVariable = 'EXECUTOR_ADDRESS' | 'PERP_EXECUTOR_ADDRESS' | 'INVENTORY_EXECUTOR_ADDRESS';

/** What keeps the senders from using this Executor, in the operator's words; empty when nothing does. */
export function executorProblems(
  executor: Address,
  state: ExecutorState | undefined,
  wanted: { readonly senders: readonly Address[]; readonly wrappedNative: Address; readonly treasury: Address | undefined },
  variable: ExecutorVariable = 'EXECUTOR_ADDRESS',
): readonly string[] {
  if (state === undefined) return [`${variable} ${executor}: no Executor there; deploy one with \`bailiff deploy\``];
  const problems: string[] = [];
  for (const [index, sender] of wanted.senders.entries())
    if (!state.operators.has(sender) && state.owner !== sender)
      problems.push(
        index === 0
          ? `${variable} ${executor}: it belongs to ${state.owner}, and ${sender} is no operator of it; use another key, or have the owner call setOperator`
          : `LANE_PRIVATE_KEYS: ${sender} is no operator of the Executor ${executor}; have its owner ${state.owner} call setOperator, or leave the key out`,
      );
  if (state.wrappedNative !== wanted.wrappedNative)
    problems.push(
      `${variable} ${executor}: its wrapped native token is ${state.wrappedNative}, the address book says ${wanted.wrappedNative}; deploy one for this chain`,
    );
  // The perps' one counts profit in the venue's token, and may have wrapped native that it is to spend: for the updates of prices.
  if (variable !== 'PERP_EXECUTOR_ADDRESS' && !state.assets.includes(wanted.wrappedNative))
    problems.push(
      `${variable} ${executor}: ${wanted.wrappedNative} is not registered, so no profit can be counted; have the owner call register`,
    );
  // What is registered must not fall, so it could never be sold.
  if (variable === 'INVENTORY_EXECUTOR_ADDRESS' && state.assets.some((asset) => asset !== wanted.wrappedNative))
    problems.push(`${variable} ${executor}: it counts other tokens than ${wanted.wrappedNative}; have the owner call unregister`);
  if (wanted.treasury !== undefined && state.treasury !== wanted.treasury)
    problems.push(
      `TREASURY_ADDRESS ${wanted.treasury}: the Executor sends profit to ${state.treasury}; have the owner call setTreasury, or unset it`,
    );
  return problems;
}
