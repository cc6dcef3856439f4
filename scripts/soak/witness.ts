/** A mirror of its own beside the keeper's, by which nothing is believed: whom the watchlist names is held against judging everybody, and that against the pool's own view. */
import type { Address } from 'viem';
import { Heads } from '../../src/chain/heads.ts';
import type { RpcPool } from '../../src/chain/rpc.ts';
import { loadConfig } from '../../src/config/load.ts';
import { connect } from '../../src/connect.ts';
import { Watch } from '../../src/risk/candidates.ts';
import { World } from '../../src/world.ts';
import { liquidatableAt } from '../demo/observe.ts';
import type { Finding } from './audit.ts';
import type { Stage } from './stage.ts';

export class Witness {
  readonly #stage: Stage;
  readonly #rpc: RpcPool;
  readonly #world: World;
  readonly #heads: Heads;
  readonly #watch = new Watch();
  /** Positions that were judged in full, over all comparisons. */
  judged = 0;
  comparisons = 0;

  private constructor(stage: Stage, rpc: RpcPool, world: World) {
    this.#stage = stage;
    this.#rpc = rpc;
    this.#world = world;
    this.#heads = new Heads(rpc, world.recent);
  }

  static async open(stage: Stage): Promise<Witness> {
    const config = await loadConfig('scan', { folder: stage.folder, env: { ...stage.environment } });
    const { rpc, book } = await connect(config);
    try {
      return new Witness(stage, rpc, await World.open({ rpc, book, executor: config.executor }, () => {}));
    } catch (error) {
      rpc.close();
      throw error;
    }
  }

  /** Goes on to this block, and looks as the keeper does. */
  async follow(block: number): Promise<readonly Finding[]> {
    const findings: Finding[] = [];
    while (this.#world.head.number < block) {
      const event = await this.#heads.next(this.#world.head);
      if (event === null) throw new Error('the witness has no heads any more');
      const { blocks } = await this.#world.follow(event);
      for (const { mismatches, head } of blocks)
        for (const { subject, ours, theirs } of mismatches)
          findings.push({ kind: 'wrong', what: `${subject} is ${ours} in the mirror and ${theirs} by the chain at block ${head.number}` });
      const { protocols, head } = this.#world;
      this.#watch.judge(protocols, this.#world.next(), head.number);
    }
    return findings;
  }

  /** Nobody may be missing from what was found without judging everybody; and at the mirrored block the contracts have to agree. */
  async compare(): Promise<readonly Finding[]> {
    this.comparisons++;
    const { protocols, head } = this.#world;
    const findings: Finding[] = [];
    for (const at of [this.#world.next(), this.#world.now()]) {
      const named = new Set(
        this.#watch.foresee(protocols, at, head.number).candidates.map(({ deployment, slot }) => `${deployment} ${slot}`),
      );
      for (const protocol of protocols)
        for (const slot of protocol.slots()) {
          this.judged++;
          if (protocol.judge(slot, at).kind === 'liquidatable' && !named.has(`${protocol.id} ${slot}`))
            findings.push({
              kind: 'lost',
              what: `${protocol.accountOf(slot)} is liquidatable at block ${head.number} and was not looked at`,
            });
        }
    }
    return [...findings, ...(await this.#againstTheChain())];
  }

  async #againstTheChain(): Promise<readonly Finding[]> {
    const { rpcUrl, pool } = this.#stage.scene;
    const { protocols, head } = this.#world;
    const accounts = this.#stage.devnet.market.borrowers.map(({ address }) => address);
    const theirs = new Set((await liquidatableAt(rpcUrl, pool, accounts, head.number)).map(lower));
    const ours = new Set(this.#watch.foresee(protocols, this.#world.now(), head.number).candidates.map(({ account }) => lower(account)));
    return accounts.map(lower).flatMap((account): Finding[] => {
      if (theirs.has(account) === ours.has(account)) return [];
      const what = theirs.has(account) ? 'liquidatable by the pool and not by us' : 'liquidatable by us and not by the pool';
      return [{ kind: theirs.has(account) ? 'lost' : 'wrong', what: `${account} is ${what} at block ${head.number}` }];
    });
  }

  close(): void {
    this.#heads.close();
    this.#rpc.close();
  }
}

function lower(address: Address): string {
  return address.toLowerCase();
}
