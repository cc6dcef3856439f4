/** The largest positions of a crash of which thin pools take a half or more at once, block by block on a real chain, with an arbitrageur that brings the pools back: all at once, or in slices. */
import { weiToUsd8Floor } from '../../src/lib/usd.ts';
import { termsAt } from '../../src/pipeline/terms.ts';
import { Watch } from '../../src/risk/candidates.ts';
import type { Candidate } from '../../src/risk/types.ts';
import { emptyBook } from '../../src/strategy/bids/book.ts';
import { planBlock } from '../../src/strategy/block.ts';
import { planCandidate } from '../../src/strategy/candidate.ts';
import { packTransactions } from '../../src/strategy/packing.ts';
import type { Patience } from '../../src/strategy/patience.ts';
import type { Plan } from '../../src/strategy/types.ts';
import { Arbitrageur } from '../devnet/arbitrageur.ts';
import { rpc } from '../devnet/rpc.ts';
import type { Stage } from '../risk/stage.ts';
import { crashedStage, EAGER } from './crashed.ts';

const FALLS: Readonly<Record<string, number>> = { 'ETH / USD': 0.2, 'BTC / USD': 0.15, 'LINK / USD': 0.2 };
const DEPTH = 0.01;
const LARGEST = 1;
/** What the keeper believes of this arbitrageur. */
const RECOVERS = 0.9;
const USD8 = 1e8;

/** Plans and profit of every block, USD. */
export type Block = { readonly plans: readonly Plan[]; readonly profitUsd: number };

/** A crash that can be lived through several times. */
export class Crashed {
  #stage: Stage;
  readonly #seed: number;
  readonly #chosen: ReadonlySet<string>;

  private constructor(stage: Stage, seed: number, chosen: ReadonlySet<string>) {
    this.#stage = stage;
    this.#seed = seed;
    this.#chosen = chosen;
  }

  static async open(seed: number, positions: number): Promise<Crashed> {
    const stage = await crashedStage(seed, positions, DEPTH, FALLS);
    const { world, settings } = stage;
    const at = stage.next();
    const terms = termsAt(settings, world, world.head, at, 0n, emptyBook())!;
    const places = { venue: world.venue, flashes: world.flashes, usd: world.usd };
    const depth = world.venue.depth(at);
    const sized = new Watch().judge(world.protocols, at, world.head.number).candidates.flatMap((candidate) => {
      const protocol = world.protocols.find(({ id }) => id === candidate.deployment)!;
      const { debtUsd8 } = protocol.view(candidate.slot, at);
      const { decision } = planCandidate(candidate, protocol.options(candidate.slot, at), places, depth, terms, at);
      return decision.kind === 'plan' && decision.plan.repayUsd8 * 2n >= debtUsd8 ? [{ candidate, debtUsd8 }] : [];
    });
    const largest = sized.toSorted((a, b) => Number(b.debtUsd8 - a.debtUsd8)).slice(0, LARGEST);
    return new Crashed(stage, seed, new Set(largest.map(({ candidate }) => candidate.account)));
  }

  /** @param stays that the keeper counts on the rest being there a block later; undefined for a keeper without patience */
  async live(blocks: number, stays: number | undefined): Promise<readonly Block[]> {
    const { rpcUrl } = this.#stage.fixture.chain;
    const snapshot = await rpc<string>(rpcUrl, 'evm_snapshot');
    const stage = await this.#stage.again();
    try {
      const arbitrageur = new Arbitrageur({ rpcUrl, market: stage.fixture.market, seed: this.#seed, limits: EAGER });
      const lived: Block[] = [];
      for (let block = 0; block < blocks; block++) lived.push(await this.#block(stage, arbitrageur, stays));
      return lived;
    } finally {
      await rpc(rpcUrl, 'evm_revert', [snapshot]);
    }
  }

  stop(): Promise<void> {
    return this.#stage.stop();
  }

  async #block(stage: Stage, arbitrageur: Arbitrageur, stays: number | undefined): Promise<Block> {
    const { world, settings } = stage;
    const at = stage.next();
    const told = termsAt(settings, world, world.head, at, 0n, emptyBook());
    if (told === undefined) throw new Error('the native token has no price');
    const patience: Patience | undefined =
      stays === undefined ? undefined : { stays: () => stays, recovers: () => RECOVERS, moveOf: (pool) => world.recovery.moveOf(pool) };
    const terms = { ...told, patience };
    const { candidates } = new Watch().judge(world.protocols, at, world.head.number);
    const { decisions } = planBlock(
      candidates.filter(({ account }) => this.#chosen.has(account)),
      ({ deployment, slot }: Candidate) => world.protocols.find(({ id }) => id === deployment)!.options(slot, at),
      { venue: world.venue, flashes: world.flashes, usd: world.usd },
      terms,
      at,
    );
    const plans = decisions.flatMap((decision) => (decision.kind === 'plan' ? [decision.plan] : []));
    await arbitrageur.onBlock(world.head.number);
    const realised = await stage.carryOut(packTransactions(plans, terms), terms);
    const madeWei = realised.reduce((sum, { made, gasWei }) => sum + (made === undefined ? 0n : made.grossWei - made.bidWei) - gasWei, 0n);
    const usd8 = weiToUsd8Floor(madeWei, terms.numeraireUsd8);
    return { plans, profitUsd: Number(usd8) / USD8 };
  }
}

/** What is expected where rivals take all that is left with this chance in every block after the first. */
export function expectedUsd(lived: readonly Block[], rivals: number): number {
  return lived.reduce((sum, { profitUsd }, block) => sum + profitUsd * (1 - rivals) ** block, 0);
}
