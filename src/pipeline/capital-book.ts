import { CAPITAL, type Capital, capitalOf, capitalText, seenAgain } from '../ledger/capital.ts';
import type { Ledger } from '../ledger/types.ts';
import type { Hex, RawLog } from '../lib/types.ts';
import type { OwnAccount } from '../protocols/types.ts';

type Mined = { readonly txHash: Hex; readonly blockHash: Hex; readonly logs: readonly RawLog[] };

/** Transactions are settled anew for as many blocks as can be taken back. */
const MOST_REMEMBERED = 500;

/** Keeps account of what is ours at venues, for reports: written down when it changes. */
export class CapitalBook {
  readonly #ledger: Ledger;
  readonly #known = new Map<string, Capital | undefined>();
  #counted: readonly string[] = [];
  /** By what our transactions changed it since it was seen last. */
  readonly #ours = new Map<OwnAccount['executor'], bigint>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** A transaction of ours was mined. Told twice of the same block, it counts once. */
  mined(accounts: readonly OwnAccount[], { txHash, blockHash, logs }: Mined): void {
    const key = `${txHash} ${blockHash}`;
    if (this.#counted.includes(key)) return;
    this.#counted = [...this.#counted, key].slice(-MOST_REMEMBERED);
    for (const account of accounts) {
      const deltaRaw = account.changedBy(logs)?.deltaRaw ?? 0n;
      this.#ours.set(account.executor, (this.#ours.get(account.executor) ?? 0n) + deltaRaw);
    }
  }

  /** What our own transactions have left there, beside what they paid out; 0 where that is not known. */
  leftRaw(deployment: string): bigint {
    const known = this.#known.get(deployment);
    return known === undefined ? 0n : known.leftRaw + (this.#ours.get(known.executor) ?? 0n);
  }

  async onBlock(deployment: string, account: OwnAccount, block: number): Promise<void> {
    const { executor } = account;
    const now = account.capitalRaw();
    if (now === undefined) return;
    if (!this.#known.has(deployment)) {
      const text = await this.#ledger.get(CAPITAL + deployment);
      this.#known.set(deployment, text === undefined ? undefined : capitalOf(text));
    }
    const before = this.#known.get(deployment);
    const oursRaw = this.#ours.get(executor) ?? 0n;
    if (before?.executor === executor && before.last.amountRaw === now.amountRaw && oursRaw === 0n) return;
    this.#ours.delete(executor);
    const capital = seenAgain(before, { deployment, executor, block, ...now }, oursRaw);
    await this.#ledger.put(CAPITAL + deployment, capitalText(capital));
    this.#known.set(deployment, capital);
  }
}
