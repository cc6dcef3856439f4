/** What outlasts a restart: what logs revealed, and the positions. What markets, oracles and rates are at is read at any start. */
import { ByteReader, ByteWriter } from '../../lib/bytes.ts';
import type { Address, RawLog } from '../../lib/types.ts';
import { namedIn } from '../../mirror/keeping.ts';
import type { Revealed } from './revealed.ts';
import { type BlueState, type MarketId, type MarketParams, type PreLiquidation, slotKey } from './state.ts';

const POSITIONS_A_PIECE = 250;
const ADDRESSES_A_PIECE = 1_000;
const KIND = { market: 0, irms: 1, contract: 2, authorised: 3, revealed: 4, positions: 5 } as const;

export type Amounts = { readonly borrowShares: bigint; readonly collateral: bigint };

/** Positions as they were, until a log names their owner. */
export class KeptPositions {
  readonly #amounts: Map<string, Amounts>;
  readonly #stale = new Set<Address>();

  constructor(amounts: Map<string, Amounts>) {
    this.#amounts = amounts;
  }

  see(log: RawLog): void {
    for (const address of namedIn(log)) this.#stale.add(address);
  }

  /** Undefined where it has to be read. */
  of(id: MarketId, account: Address): Amounts | undefined {
    return this.#stale.has(account) ? undefined : this.#amounts.get(slotKey(id, account));
  }
}

/** @param state what was followed since the anchor, which is the newer word on everything */
export function* keepDeployment(revealed: Revealed, state: BlueState | undefined): Iterable<Uint8Array> {
  const writer = new ByteWriter();
  const markets = state === undefined ? revealed.markets : new Map(Array.from(state.markets, ([id, { params }]) => [id, params] as const));
  for (const [id, params] of markets) {
    writer.byte(KIND.market);
    writer.hash(id);
    for (const address of [params.loanToken, params.collateralToken, params.oracle, params.irm]) writer.address(address);
    writer.bigint(params.lltv);
    yield writer.take();
  }
  yield* keepAddresses(KIND.irms, undefined, revealed.irms);
  const contracts = state === undefined ? [...revealed.preLiquidations.values()] : [...state.preLiquidations.values()].flat();
  for (const { address, id, params } of contracts) {
    writer.byte(KIND.contract);
    writer.address(address);
    writer.hash(id);
    for (const value of [params.preLltv, params.preLcf1, params.preLcf2, params.preLif1, params.preLif2]) writer.bigint(value);
    writer.address(params.oracle);
    yield writer.take();
  }
  for (const [authorized, by] of state?.authorised ?? revealed.authorised) yield* keepAddresses(KIND.authorised, authorized, by);
  if (state !== undefined) yield* keepPositions(state);
  else for (const [id, accounts] of revealed.accounts) yield* keepAddresses(KIND.revealed, id, accounts);
}

function* keepPositions({ positions }: BlueState): Iterable<Uint8Array> {
  const writer = new ByteWriter();
  // NOTE: others may join meanwhile; those are named by logs.
  for (let slot = 0; slot < positions.length; slot++) {
    const { market, account, borrowShares, collateral } = positions[slot]!;
    if (writer.length === 0) writer.byte(KIND.positions);
    writer.hash(market.id);
    writer.address(account);
    writer.bigint(borrowShares);
    writer.bigint(collateral);
    if ((slot + 1) % POSITIONS_A_PIECE === 0) yield writer.take();
  }
  if (writer.length > 0) yield writer.take();
}

/** @param of an address, or a market's id */
function* keepAddresses(kind: number, of: `0x${string}` | undefined, addresses: Iterable<Address>): Iterable<Uint8Array> {
  const writer = new ByteWriter();
  let count = 0;
  const begin = () => {
    writer.byte(kind);
    if (kind === KIND.revealed) writer.hash(of!);
    else if (of !== undefined) writer.address(of);
  };
  begin();
  for (const address of addresses) {
    writer.address(address);
    if (++count % ADDRESSES_A_PIECE !== 0) continue;
    yield writer.take();
    begin();
  }
  yield writer.take();
}

export type RestoredDeployment = {
  readonly markets: ReadonlyMap<MarketId, MarketParams>;
  readonly irms: ReadonlySet<Address>;
  readonly contracts: readonly PreLiquidation[];
  readonly authorised: ReadonlyMap<Address, ReadonlySet<Address>>;
  readonly accounts: ReadonlyMap<MarketId, ReadonlySet<Address>>;
  readonly positions: KeptPositions;
};

export function deploymentIn(pieces: Iterable<Uint8Array>): RestoredDeployment {
  const markets = new Map<MarketId, MarketParams>();
  const irms = new Set<Address>();
  const contracts: PreLiquidation[] = [];
  const authorised = new Map<Address, Set<Address>>();
  const accounts = new Map<MarketId, Set<Address>>();
  const amounts = new Map<string, Amounts>();
  const setOf = <K>(sets: Map<K, Set<Address>>, key: K): Set<Address> => {
    const set = sets.get(key) ?? new Set();
    sets.set(key, set);
    return set;
  };
  for (const piece of pieces) {
    const reader = new ByteReader(piece);
    const kind = reader.byte();
    if (kind === KIND.market) markets.set(reader.hash(), paramsIn(reader));
    else if (kind === KIND.irms) while (!reader.done) irms.add(reader.address());
    else if (kind === KIND.contract) contracts.push(contractIn(reader));
    else if (kind === KIND.authorised) addAll(setOf(authorised, reader.address()), reader);
    else if (kind === KIND.revealed) addAll(setOf(accounts, reader.hash()), reader);
    else if (kind === KIND.positions)
      while (!reader.done) {
        const [id, account] = [reader.hash(), reader.address()];
        setOf(accounts, id).add(account);
        amounts.set(slotKey(id, account), { borrowShares: reader.bigint(), collateral: reader.bigint() });
      }
    else throw new RangeError(`nothing is of kind ${kind}`);
  }
  return { markets, irms, contracts, authorised, accounts, positions: new KeptPositions(amounts) };
}

function paramsIn(reader: ByteReader): MarketParams {
  const [loanToken, collateralToken, oracle, irm] = [reader.address(), reader.address(), reader.address(), reader.address()];
  return { loanToken, collateralToken, oracle, irm, lltv: reader.bigint() };
}

function contractIn(reader: ByteReader): PreLiquidation {
  const [address, id] = [reader.address(), reader.hash()];
  const [preLltv, preLcf1, preLcf2] = [reader.bigint(), reader.bigint(), reader.bigint()];
  const params = { preLltv, preLcf1, preLcf2, preLif1: reader.bigint(), preLif2: reader.bigint(), oracle: reader.address() };
  return { address, id, params, settled: false };
}

function addAll(set: Set<Address>, reader: ByteReader): void {
  while (!reader.done) set.add(reader.address());
}
