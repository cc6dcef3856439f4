/**
 * Folds one block's logs into the state, through the journal. Events tell collateral exactly. Of the base asset they tell present values, and nothing at all
 * where a debtor's debt moves to another debtor: so principals are read anew, of whoever a log names and of others in turn.
 */
import type { Address, RawLog } from '../../lib/types.ts';
import { dataWord, topicAddress, topicOf } from '../../lib/words.ts';
import type { Journal } from '../../mirror/journal.ts';
import { MirrorError } from '../../mirror/types.ts';
import { type Account, accountSlot, type CometState, noteChange } from './state.ts';

const topics = {
  supply: topicOf('event Supply(address indexed from, address indexed dst, uint256 amount)'),
  withdraw: topicOf('event Withdraw(address indexed src, address indexed to, uint256 amount)'),
  transfer: topicOf('event Transfer(address indexed from, address indexed to, uint256 amount)'),
  absorbDebt: topicOf('event AbsorbDebt(address indexed absorber, address indexed borrower, uint256 basePaidOut, uint256 usdValue)'),
  supplyCollateral: topicOf('event SupplyCollateral(address indexed from, address indexed dst, address indexed asset, uint256 amount)'),
  withdrawCollateral: topicOf('event WithdrawCollateral(address indexed src, address indexed to, address indexed asset, uint256 amount)'),
  transferCollateral: topicOf('event TransferCollateral(address indexed from, address indexed to, address indexed asset, uint256 amount)'),
  absorbCollateral: topicOf(
    'event AbsorbCollateral(address indexed absorber, address indexed borrower, address indexed asset, uint256 collateralAbsorbed, uint256 usdValue)',
  ),
  upgraded: topicOf('event Upgraded(address indexed implementation)'),
};

export const cometTopics = Object.values(topics);
/** Nobody can owe anything without collateral. */
export const discoveryTopics = [topics.supplyCollateral, topics.transferCollateral];

/** Whom a discovery log gives collateral. */
export function discoveredIn(log: RawLog): Address | undefined {
  return log.topics[0] !== undefined && discoveryTopics.includes(log.topics[0]) ? topicAddress(log, 2) : undefined;
}

/** `touched`: whose principal has to be read; `revealed`: whose collateral too, since nobody knows what they had before. */
export type Unread = { readonly touched: Set<Account>; readonly revealed: Set<Account> };

/** Throws a MirrorError on what only a new anchor can follow. */
export function foldLog(log: RawLog, state: CometState, { touched, revealed }: Unread, journal: Journal): void {
  if (log.address !== state.comet) return;
  const touch = (topic: number) => {
    const place = state.places.get(topicAddress(log, topic));
    if (place !== undefined) touched.add(state.accounts[place]!);
  };
  const change = (topic: number, sign: bigint) => {
    const account = accountOf(state, topicAddress(log, topic), journal, revealed);
    touched.add(account);
    const asset = state.config.assets.findIndex(({ address }) => address === topicAddress(log, 3));
    if (asset < 0) throw new MirrorError(`${topicAddress(log, 3)} is no asset of ${state.comet}`);
    journal.set(account.collateralRaw, asset, account.collateralRaw[asset]! + sign * dataWord(log, 0));
    noteChange(state, accountSlot(state.places.get(account.address)!), journal);
  };
  switch (log.topics[0]) {
    case topics.upgraded:
      throw new MirrorError(`${state.comet} has another implementation: ${topicAddress(log, 1)}`);
    case topics.supply:
    case topics.absorbDebt:
      touch(2);
      return;
    case topics.withdraw:
      touch(1);
      return;
    case topics.transfer:
      touch(1);
      touch(2);
      return;
    case topics.supplyCollateral:
      change(2, 1n);
      return;
    case topics.withdrawCollateral:
      change(1, -1n);
      return;
    case topics.transferCollateral:
      change(1, -1n);
      change(2, 1n);
      return;
    case topics.absorbCollateral:
      change(2, -1n);
  }
}

function accountOf(state: CometState, address: Address, journal: Journal, revealed: Set<Account>): Account {
  const place = state.places.get(address);
  if (place !== undefined) return state.accounts[place]!;
  const account = newAccount(address, state.config.assets.length);
  journal.setKey(state.places, address, journal.push(state.accounts, account));
  revealed.add(account);
  return account;
}

export function newAccount(address: Address, assets: number): Account {
  return { address, principal: 0n, assetsIn: 0, collateralRaw: Array.from({ length: assets }, () => 0n) };
}
