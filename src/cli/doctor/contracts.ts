import { formatEther, getAddress } from 'viem';
import { privateKeyToAddress } from 'viem/accounts';
import { getBalance, getCode } from '../../chain/actions/account.ts';
import { getHead } from '../../chain/actions/getHead.ts';
import { simulate } from '../../chain/actions/simulate.ts';
import type { Rpc } from '../../chain/types.ts';
import type { AddressBook } from '../../config/addressBook.ts';
import type { Config } from '../../config/config.ts';
import { executorProblems, readExecutor } from '../../execution/executor-state.ts';
import { neededAt } from '../../execution/lane-book.ts';
import { mapBounded } from '../../lib/async.ts';
import type { Address } from '../../lib/types.ts';
import { uintOf } from '../../lib/words.ts';
import { type Choices, contractsIn, type ToldContract } from '../../protocols/registry.ts';
import { attempt, bad, type Check, good } from './check.ts';

const CONCURRENCY = 4;

/** Is there a contract at every address that the keeper is told. */
export async function checkBook(rpc: Rpc, book: AddressBook, choices: Choices): Promise<readonly Check[]> {
  const told: readonly (readonly [string, Address])[] = [
    ['wrappedNative', book.wrappedNative],
    ...(book.multicall3 === undefined ? [] : [['multicall3', book.multicall3] as const]),
    ...book['uniswap-v3'].map(({ factory }) => ['uniswap-v3 factory', factory] as const),
    ...book.bridgeTokens.map((token) => ['bridge token', token] as const),
    ...(book.sequencerUptimeFeed === undefined ? [] : [['sequencer uptime feed', book.sequencerUptimeFeed] as const]),
    ...Object.entries(book.usdFeeds).map(([token, feed]) => [`USD feed of ${getAddress(token)}`, feed] as const),
  ];
  const missing =
    book.multicall3 === undefined
      ? [bad('multicall3', 'none is known: every read is a call of its own', 'add `multicall3` to DEPLOYMENTS_FILE')]
      : [];
  const checks = await mapBounded(told, CONCURRENCY, ([name, address]) =>
    attempt(name, 'try again', async () =>
      (await getCode(rpc, address)) === '0x'
        ? bad(name, `no contract at ${getAddress(address)}`, 'mend the address in DEPLOYMENTS_FILE')
        : good(name, getAddress(address)),
    ),
  );
  return [...checks, ...(await checkProtocols(rpc, contractsIn(book, choices))), ...missing];
}

/** Is each protocol's contract there, and of the kind that the book says: it answers what only such a one answers. */
async function checkProtocols(rpc: Rpc, contracts: readonly ToldContract[]): Promise<readonly Check[]> {
  return mapBounded(contracts, CONCURRENCY, ({ what, address, probe }) =>
    attempt(what, 'try again', async () => {
      if ((await getCode(rpc, address)) === '0x')
        return bad(what, `no contract at ${getAddress(address)}`, 'mend the address in DEPLOYMENTS_FILE');
      const answer = await simulate(rpc, { from: address, ...probe });
      if (!answer.ok || uintOf(answer) === undefined)
        return bad(what, `${getAddress(address)} is another kind of contract`, 'mend the address in DEPLOYMENTS_FILE');
      return good(what, getAddress(address));
    }),
  );
}

/** Is the Executor ours: does it obey the keeper's key, does it know the chain's money, does it pay whom the operator means. */
export async function checkExecutor(rpc: Rpc, book: AddressBook, config: Config): Promise<readonly Check[]> {
  const { executor, mode } = config;
  if (executor === undefined)
    return [
      mode === 'live'
        ? bad('executor', 'EXECUTOR_ADDRESS is not set', 'run `bailiff deploy` and set it')
        : good('executor', 'none is set; MODE=watch needs none'),
    ];
  const senders = sendersOf(config);
  return [
    await attempt('executor', 'try again', async () => {
      const state = await readExecutor(rpc, executor, senders);
      // Without a key nobody's rights can be looked at; the owner's then stand for them.
      const wanted = {
        senders: senders.length === 0 && state !== undefined ? [state.owner] : senders,
        wrappedNative: book.wrappedNative,
        treasury: config.treasury,
      };
      const problems = executorProblems(executor, state, wanted);
      if (state === undefined || problems.length > 0)
        return bad('executor', problems.join('; '), 'do what is said there, or set another EXECUTOR_ADDRESS');
      return good('executor', `${getAddress(executor)}, owned by ${getAddress(state.owner)}, pays ${getAddress(state.treasury)}`);
    }),
  ];
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
