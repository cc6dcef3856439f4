/** What outlasts a restart: what no view tells of debts, and whom governance treats apart. What accounts hold is read at any start. */
import { ByteReader, ByteWriter } from '../../lib/bytes.ts';
import type { Address } from '../../lib/types.ts';
import type { History } from './history.ts';
import { type CompoundState, forcedKey } from './state.ts';

const ENTRIES_A_PIECE = 500;
const KIND = { index: 0, debt: 1, forced: 2, shielded: 3 } as const;

type Fact =
  | { readonly kind: 'index'; readonly market: Address; readonly index: bigint }
  | { readonly kind: 'debt'; readonly market: Address; readonly account: Address; readonly principal: bigint; readonly index: bigint }
  | { readonly kind: 'forced'; readonly by: Address; readonly key: string }
  | { readonly kind: 'shielded'; readonly by: Address; readonly account: Address };

/** @param state what was followed since the anchor, which is the newer word on everything */
export function* keepHistory(history: History, state: CompoundState | undefined): Iterable<Uint8Array> {
  const writer = new ByteWriter();
  let count = 0;
  for (const fact of state === undefined ? history.facts() : factsOf(state)) {
    write(writer, fact);
    if (++count % ENTRIES_A_PIECE === 0) yield writer.take();
  }
  yield writer.take();
}

export type { Fact };

function* factsOf({ markets, accounts, comptroller, forcedFor, shielded, rules }: CompoundState): Iterable<Fact> {
  for (const { address, borrowIndex } of markets.values()) yield { kind: 'index', market: address, index: borrowIndex };
  for (const { address, holdings } of accounts)
    for (const { market, principal, index } of holdings.values())
      if (principal !== 0n) yield { kind: 'debt', market: market.address, account: address, principal, index };
  for (const key of forcedFor) yield { kind: 'forced', by: comptroller, key };
  if (rules.gate !== undefined) for (const account of shielded) yield { kind: 'shielded', by: rules.gate.address, account };
}

function write(writer: ByteWriter, fact: Fact): void {
  writer.byte(KIND[fact.kind]);
  switch (fact.kind) {
    case 'index':
      writer.address(fact.market);
      writer.bigint(fact.index);
      return;
    case 'debt':
      writer.address(fact.market);
      writer.address(fact.account);
      writer.bigint(fact.principal);
      writer.bigint(fact.index);
      return;
    case 'forced': {
      const [borrower, market] = fact.key.split(' ') as [Address, Address];
      writer.address(fact.by);
      writer.address(borrower);
      writer.address(market);
      return;
    }
    case 'shielded':
      writer.address(fact.by);
      writer.address(fact.account);
  }
}

export function factsIn(pieces: Iterable<Uint8Array>): Fact[] {
  const facts: Fact[] = [];
  for (const piece of pieces) {
    const reader = new ByteReader(piece);
    while (!reader.done) facts.push(read(reader));
  }
  return facts;
}

function read(reader: ByteReader): Fact {
  const kind = reader.byte();
  const by = reader.address();
  switch (kind) {
    case KIND.index:
      return { kind: 'index', market: by, index: reader.bigint() };
    case KIND.debt:
      return { kind: 'debt', market: by, account: reader.address(), principal: reader.bigint(), index: reader.bigint() };
    case KIND.forced:
      return { kind: 'forced', by, key: forcedKey(reader.address(), reader.address()) };
    case KIND.shielded:
      return { kind: 'shielded', by, account: reader.address() };
    default:
      throw new RangeError(`no fact is of kind ${kind}`);
  }
}
