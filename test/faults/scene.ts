import type { Hex } from 'viem';
import { Prng } from '../../scripts/devnet/prng.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { audit, type Finding, type Opening, openingOf, type Scene } from '../../scripts/soak/audit.ts';
import { Market } from '../../scripts/soak/market.ts';
import type { Wraps } from '../../src/keeper.ts';
import { readLedger, type TransactionRecord } from '../../src/ledger/reader.ts';
import { type Line, type Stage, setStage, startTestKeeper, type TestKeeper } from '../support/keeper.ts';

/** Enough for a few liquidations that pay, on a market of sixty positions. */
const FALL = 0.015;
const MOST_FALLS = 5;

export type FaultStage = Stage & {
  readonly market: Market;
  /** The block below everything that a keeper does here. */
  readonly before: number;
  readonly opening: Opening;
};

export async function setFaultStage(seed: number): Promise<FaultStage> {
  const stage = await setStage({ positions: 60, seed });
  const before = await headOf(stage);
  const opening = await openingOf({ ...bookedIn(stage), before });
  return { ...stage, market: new Market(stage.devnet, new Prng(seed)), before, opening };
}

/** Whose balances the books are about, and in what. */
function bookedIn({ devnet, executor }: Stage) {
  return { rpcUrl: devnet.rpcUrl, tokens: Object.values(devnet.market.tokens), executor, senders: [devnet.accounts.keeper.address] };
}

/** A keeper; what it does is told from what it says and from its books. Those of a stage share the books: they hold everything that is mined for the account. */
export class Play {
  readonly stage: FaultStage;
  readonly dataDir: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #wraps: Wraps;
  readonly #scene: Scene;
  #keeper: TestKeeper;

  private constructor(stage: FaultStage, environment: Readonly<Record<string, string>>, wraps: Wraps) {
    const { devnet, before, opening } = stage;
    this.stage = stage;
    this.#environment = { ...stage.environment, ...environment };
    this.#wraps = wraps;
    this.dataDir = this.#environment['DATA_DIR']!;
    this.#scene = {
      ...bookedIn(stage),
      builder: devnet.builder,
      pool: devnet.market.aave.pool,
      dataDir: this.dataDir,
      before,
      opening,
    };
    this.#keeper = startTestKeeper(this.#environment, stage.folder, wraps);
  }

  static async start(stage: FaultStage, environment: Readonly<Record<string, string>> = {}, wraps: Wraps = {}): Promise<Play> {
    const play = new Play(stage, environment, wraps);
    await play.processed(await headOf(stage));
    return play;
  }

  get lines(): readonly Line[] {
    return this.#keeper.lines;
  }

  until(wanted: (line: Line) => boolean, what: string): Promise<Line> {
    return this.#keeper.until(wanted, what);
  }

  async stop(): Promise<void> {
    await this.#keeper.stop();
  }

  /** The same keeper again, on the same store. */
  async restart(): Promise<void> {
    await this.stop();
    this.#keeper = startTestKeeper(this.#environment, this.stage.folder, this.#wraps);
    await this.processed(await headOf(this.stage));
  }

  /** One block, and the keeper's answer to it. */
  async seal(): Promise<number> {
    const { number, hash } = await this.stage.devnet.builder.seal();
    await this.until(({ event, hash: of }) => event === 'block.processed' && of === hash, `block ${number}`);
    return number;
  }

  /** A price falls in one block, and again if nothing became worth it; the keeper sends for the next block than the one returned. */
  async fall(): Promise<number> {
    for (let falls = 0; falls < MOST_FALLS; falls++) {
      const from = this.lines.length;
      await this.stage.market.fall(FALL);
      const block = await this.seal();
      if (this.lines.slice(from).some(({ event }) => event === 'bundle.sent')) return block;
    }
    throw new Error(`${MOST_FALLS} falls of a price, and nothing was sent`);
  }

  /** What the chain and the books disagree about, and every transaction in the books. */
  async books(): Promise<{ readonly findings: readonly Finding[]; readonly transactions: readonly TransactionRecord[] }> {
    const ledger = await readLedger(this.dataDir);
    const transactions = await ledger.transactions({}).finally(() => ledger.close());
    return { findings: await audit(this.#scene), transactions };
  }

  processed(block: number): Promise<Line> {
    return this.until((line) => line.event === 'block.processed' && Number(line['block']) >= block, `block ${block}`);
  }
}

export async function headOf({ devnet }: Stage): Promise<number> {
  return Number(await rpc<Hex>(devnet.rpcUrl, 'eth_blockNumber'));
}
