import { formatEther, getAddress } from 'viem';
import { privateKeyToAddress } from 'viem/accounts';
import { getBalance } from '../../chain/actions/account.ts';
import { getHead } from '../../chain/actions/getHead.ts';
import type { Rpc } from '../../chain/types.ts';
import type { AddressBook } from '../../config/addressBook.ts';
import type { Config } from '../../config/config.ts';
import { type ExecutorVariable, executorProblems, readExecutor } from '../../execution/executor-state.ts';
import { neededAt } from '../../execution/lane-book.ts';
import { mapBounded } from '../../lib/async.ts';
import type { Address } from '../../lib/types.ts';
import { attempt, bad, type Check, good } from './check.ts';

const CONCURRENCY = 4;

/** Is the Executor ours: does it obey the keeper's key, does it know the chain's money, does it pay whom the operator means. */
export async function checkExecutor(rpc: Rpc, book: AddressBook, config: Config): Promise<readonly Check[]> {
  const { executor, inventory, mode } = config;
  if (executor === undefined)
    return [
      mode === 'live'
        ? bad('executor', 'EXECUTOR_ADDRESS is not set', 'run `bailiff deploy` and set it')
        : good('executor', 'none is set; MODE=watch needs none'),
    ];
  const { perpExecutor } = config.choices;
  return [
    await checkOne('executor', 'EXECUTOR_ADDRESS', executor, rpc, book, config),
    ...(perpExecutor === undefined ? [] : [await checkOne('perp executor', 'PERP_EXECUTOR_ADDRESS', perpExecutor, rpc, book, config)]),
    ...(inventory === undefined ? [] : [await checkOne('inventory executor', 'INVENTORY_EXECUTOR_ADDRESS', inventory, rpc, book, config)]),
  ];
}

function checkOne(
  name: string,
  variable: ExecutorVariable,
  executor: Address,
  rpc: Rpc,
  { wrappedNative }: AddressBook,
  config: Config,
): Promise<Check> {
  const senders = sendersOf(config);
  return attempt(name, 'try again', async () => {
    const state = await readExecutor(rpc, executor, senders);
    // Without a key nobody's rights can be looked at; the owner's then stand for them.
    const known = senders.length === 0 && state !== undefined ? [state.owner] : senders;
    const problems = executorProblems(executor, state, { senders: known, wrappedNative, treasury: config.treasury }, variable);
    if (state === undefined || problems.length > 0)
      return bad(name, problems.join('; '), `do what is said there, or set another ${variable}`);
    return good(name, `${getAddress(executor)}, owned by ${getAddress(state.owner)}, pays ${getAddress(state.treasury)}`);
  });
}

/** One for each sender: a lane without gas rests, and the others go on. */
export async function checkGas(rpc: Rpc, config: Config): Promise<readonly Check[]> {
  const [keeper, ...lanes] = sendersOf(config);
  if (keeper === undefined)
    return [
      config.mode === 'live'
        ? bad('gas', 'no key is set', 'set KEEPER_PRIVATE_KEY or a keystore')
        : good('gas', 'no key is set; MODE=watch needs none'),
    ];
  const named = [['gas', keeper] as const, ...lanes.map((lane, index) => [`gas of lane ${index + 1}`, lane] as const)];
  return mapBounded(named, CONCURRENCY, ([name, sender]) => checkGasOf(rpc, name, sender));
}

function checkGasOf(rpc: Rpc, name: string, sender: Address): Promise<Check> {
  return attempt(name, 'try again', async () => {
    const [balance, head] = await Promise.all([getBalance(rpc, sender), getHead(rpc, 'latest')]);
    const least = neededAt(head.baseFeeWei);
    const holds = `${getAddress(sender)} holds ${formatEther(balance)}`;
    if (balance < least) return bad(name, `${holds}, a liquidation may take ${formatEther(least)}`, 'send it native tokens');
    return good(name, holds);
  });
}

/** The keeper's own first; none without a key. */
function sendersOf({ keys }: Config): readonly Address[] {
  const all = keys.keeper === undefined ? [] : [keys.keeper, ...keys.lanes];
  return all.map((key) => privateKeyToAddress(key.reveal()).toLowerCase() as Address);
}
