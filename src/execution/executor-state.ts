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
  readonly isOperator: boolean;
};

/** Undefined where there is no code, or something that does not answer as an Executor does. */
export async function readExecutor(rpc: Rpc, executor: Address, sender: Address): Promise<ExecutorState | undefined> {
  if ((await getCode(rpc, executor)) === '0x') return undefined;
  const ask = async (functionName: 'owner' | 'treasury' | 'wrappedNative' | 'assets' | 'isOperator') => {
    const data = encodeFunctionData({ abi: executorAbi, functionName, args: (functionName === 'isOperator' ? [sender] : []) as never });
    const result = await simulate(rpc, { from: sender, to: executor, data });
    if (!result.ok) throw new NotAnExecutor();
    return decodeFunctionResult({ abi: executorAbi, functionName, data: result.data });
  };
  try {
    const lower = (value: unknown) => String(value).toLowerCase() as Address;
    return {
      owner: lower(await ask('owner')),
      treasury: lower(await ask('treasury')),
      wrappedNative: lower(await ask('wrappedNative')),
      assets: ((await ask('assets')) as readonly Address[]).map(lower),
      isOperator: String(await ask('isOperator')) === 'true',
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

/** What keeps `sender` from using this Executor, in the operator's words; empty when nothing does. */
export function executorProblems(
  executor: Address,
  state: ExecutorState | undefined,
  wanted: { readonly sender: Address; readonly wrappedNative: Address; readonly treasury: Address | undefined },
): readonly string[] {
  if (state === undefined) return [`EXECUTOR_ADDRESS ${executor}: no Executor there; deploy one with \`bailiff deploy\``];
  const problems: string[] = [];
  if (!state.isOperator && state.owner !== wanted.sender)
    problems.push(
      `EXECUTOR_ADDRESS ${executor}: it belongs to ${state.owner}, and ${wanted.sender} is no operator of it; use another key, or have the owner call setOperator`,
    );
  if (state.wrappedNative !== wanted.wrappedNative)
    problems.push(
      `EXECUTOR_ADDRESS ${executor}: its wrapped native token is ${state.wrappedNative}, the address book says ${wanted.wrappedNative}; deploy one for this chain`,
    );
  if (!state.assets.includes(wanted.wrappedNative))
    problems.push(
      `EXECUTOR_ADDRESS ${executor}: ${wanted.wrappedNative} is not registered, so no profit can be counted; have the owner call register`,
    );
  if (wanted.treasury !== undefined && state.treasury !== wanted.treasury)
    problems.push(
      `TREASURY_ADDRESS ${wanted.treasury}: the Executor sends profit to ${state.treasury}; have the owner call setTreasury, or unset it`,
    );
  return problems;
}
