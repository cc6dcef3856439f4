import { decodeAbiParameters, decodeEventLog, decodeFunctionResult, encodeFunctionData, toEventSelector } from 'viem';
import type { Address, BlockRef, Head, Hex, LogFilter, RawLog, ViewAnswer, ViewCall } from '../../src/lib/types.ts';
import { Journal } from '../../src/mirror/journal.ts';
import { MirrorError, type Mirrored, type Reading, type Undo, type ViewCheck } from '../../src/mirror/types.ts';
import { tallyAbi } from './tally-chain.ts';

const CHANGED = toEventSelector('Changed(address,int256)');
const BORN = toEventSelector('Born(address)');
const BUMPED = toEventSelector('Bumped(uint256)');

/** A Mirrored over a Tally. Balances and children are folded from logs; the rate is read every block. */
export class TallyMirror implements Mirrored {
  readonly id: string;
  readonly fromBlock: number;
  readonly balances = new Map<Address, bigint>();
  readonly children = new Map<Address, bigint>();
  rate = 0n;
  /** Set by a test to make one of the calls throw. */
  breaks: 'apply' | 'ingest' | 'anchor' | null = null;
  anchors = 0;
  readonly #known = new Set<Address>();
  readonly #journal = new Journal();
  readonly #tally: Address;

  constructor(tally: Address, { id = 'tally', fromBlock = 1 }: { id?: string; fromBlock?: number } = {}) {
    this.#tally = tally;
    this.id = id;
    this.fromBlock = fromBlock;
  }

  /** Everything, in an order that does not depend on its history. */
  state(): unknown {
    const sorted = (map: Map<Address, bigint>) => [...map].filter(([, value]) => value !== 0n).sort();
    return { balances: sorted(this.balances), children: sorted(this.children), rate: this.rate };
  }

  get known(): ReadonlySet<Address> {
    return this.#known;
  }

  /** As if a log had named it. */
  know(account: Address): void {
    this.#known.add(account);
  }

  discoveryFilters(): readonly LogFilter[] {
    return [{ addresses: [this.#tally], topics0: [CHANGED] }];
  }

  discover(logs: readonly RawLog[]): void {
    for (const log of logs) this.#known.add(accountOf(log));
  }

  *anchor(_block: Head): Reading {
    this.#break('anchor');
    this.#journal.stop();
    const [count, rate] = yield [read(this.#tally, 'childCount'), read(this.#tally, 'rate')];
    if (!count?.ok || count.data === '0x') throw new MirrorError(`no Tally at ${this.#tally}`);
    const accounts = [...this.#known];
    const [children, balances] = [numberOf(count), accounts] as const;
    const addresses = yield Array.from({ length: Number(children) }, (_, i) => read(this.#tally, 'children', [BigInt(i)]));
    const answers = yield [
      ...balances.map((account) => read(this.#tally, 'balanceOf', [account])),
      ...addresses.map((answer) => read(addressOf(answer), 'value')),
    ];
    this.balances.clear();
    this.children.clear();
    for (const [i, account] of accounts.entries()) this.balances.set(account, signedOf(answers[i]!));
    for (const [i, answer] of addresses.entries()) this.children.set(addressOf(answer), numberOf(answers[accounts.length + i]!));
    this.rate = numberOf(rate!);
    this.anchors++;
  }

  filters(): readonly LogFilter[] {
    const tally = { addresses: [this.#tally], topics0: [CHANGED, BORN] };
    return this.children.size === 0 ? [tally] : [tally, { addresses: [...this.children.keys()], topics0: [BUMPED] }];
  }

  apply(_block: Head, logs: readonly RawLog[]): Undo {
    this.#journal.begin();
    for (const log of logs) this.#applyLog(log);
    this.#break('apply');
    return this.#journal.take();
  }

  reads(): readonly ViewCall[] {
    return [read(this.#tally, 'rate')];
  }

  ingest(_block: Head, [rate]: readonly ViewAnswer[]): Undo {
    this.#journal.begin();
    this.#break('ingest');
    this.#journal.set<TallyMirror, 'rate'>(this, 'rate', numberOf(rate!));
    return this.#journal.take();
  }

  audit(_block: BlockRef, limit: number, seed: number): readonly ViewCheck[] {
    const accounts = [...this.balances.keys()];
    return Array.from({ length: Math.min(limit, accounts.length) }, (_, i) => {
      const account = accounts[(seed + i) % accounts.length]!;
      return {
        subject: `account ${account} balance`,
        call: read(this.#tally, 'balanceOf', [account]),
        compare: (answer) => {
          const [ours, theirs] = [String(this.balances.get(account)), String(signedOf(answer))];
          return ours === theirs ? null : { ours, theirs };
        },
      };
    });
  }

  #applyLog(log: RawLog): void {
    if (log.topics[0] === CHANGED) {
      const { args } = decodeEventLog({ abi: tallyAbi, eventName: 'Changed', data: log.data, topics: log.topics as [Hex, ...Hex[]] });
      const account = accountOf(log);
      this.#known.add(account);
      this.#journal.setKey(this.balances, account, (this.balances.get(account) ?? 0n) + args.by);
    } else if (log.topics[0] === BORN) {
      this.#journal.setKey(this.children, accountOf(log), 0n);
    } else if (log.topics[0] === BUMPED && this.children.has(log.address)) {
      const [by] = decodeAbiParameters([{ type: 'uint256' }], log.data);
      this.#journal.setKey(this.children, log.address, this.children.get(log.address)! + by);
    }
  }

  #break(where: TallyMirror['breaks']): void {
    if (this.breaks === where) throw new Error(`told to break in ${where}`);
  }
}

type ViewName = 'childCount' | 'rate' | 'children' | 'balanceOf' | 'value';

function read(to: Address, functionName: ViewName, args: readonly unknown[] = []): ViewCall {
  return { to, data: encodeFunctionData({ abi: tallyAbi, functionName, args } as Parameters<typeof encodeFunctionData>[0]) };
}

const accountOf = ({ topics }: RawLog): Address => `0x${topics[1]!.slice(26)}`;
const addressOf = ({ data }: ViewAnswer): Address => `0x${data.slice(26)}`;
const numberOf = ({ data }: ViewAnswer): bigint => BigInt(data);
const signedOf = ({ data }: ViewAnswer): bigint => decodeFunctionResult({ abi: tallyAbi, functionName: 'balanceOf', data });
