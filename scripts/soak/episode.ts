/** One keeper's life on one chain: it is killed at one failpoint after the other, started again each time as it was, and its books are audited. */
import { rm } from 'node:fs/promises';
import { getAddress, type Hex } from 'viem';
import { commandKeeper } from '../../src/ledger/control.ts';
import { readLedger } from '../../src/ledger/reader.ts';
import { liquidatableAt } from '../demo/observe.ts';
import { judge } from '../devnet/lens/judge.ts';
import { Prng } from '../devnet/prng.ts';
import { rpc } from '../devnet/rpc.ts';
import { audit, type Finding } from './audit.ts';
import { type Child, startTrapped, tail } from './child.ts';
import type { Failpoint, Point, When } from './failpoints.ts';
import { Market } from './market.ts';
import type { Stage } from './stage.ts';

/** What the keeper is set to: bundles, with the public mempool where the relay fails; or the public mempool alone. */
export type Channel = 'bundle' | 'public';
export type Target = { readonly point: Point; readonly when: When };
export type Run = Target & {
  readonly channel: Channel;
  /** Did the keeper reach the failpoint, and die there? */
  readonly died: boolean;
  /** Did the same command go on unaided? */
  readonly survived: boolean;
  readonly findings: readonly Finding[];
};

/** Blocks in which a failpoint has to be reached. */
const ROUNDS = 12;
/** Blocks after a start in which everything from before has to be settled. */
const SETTLING_BLOCKS = 3;
const QUIET_BLOCKS = 12;
/** What the keeper's own minimum (5 USD after the bid) is to the lens, which knows no bid. */
const LENS_MIN_PROFIT_USD = (5 + 0.5) / (1 - 0.9);
const REORG_WHILE_DOWN_SHARE = 0.15;
const DEEPEST_REORG = 4;

export class Episode {
  readonly #stage: Stage;
  readonly #channel: Channel;
  readonly #random: Prng;
  readonly #market: Market;
  readonly #known = new Set<string>();
  #child: Child | undefined;

  constructor(stage: Stage, channel: Channel, seed: number) {
    this.#stage = stage;
    this.#channel = channel;
    this.#random = new Prng(seed);
    this.#market = new Market(stage.devnet, this.#random);
  }

  /** Kills at the target, starts again, audits. Throws when the keeper cannot be brought back: the episode is over then. */
  async kill({ point, when }: Target): Promise<Run> {
    const failpoint: Failpoint = { point, when, hit: this.#random.next() < 0.75 ? 1 : 2 };
    const died = await this.#dieAt(point === 'ledger.put' ? { ...failpoint, hit: 1 } : failpoint);
    await this.#whileDown();
    try {
      await this.#recover();
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      return { channel: this.#channel, point, when, died, survived: false, findings: [{ kind: 'wrong', what }] };
    }
    return { channel: this.#channel, point, when, died, survived: true, findings: await this.#findings() };
  }

  /** Lets the keeper take what it will, and asks the lens what it left. */
  async finish(): Promise<readonly Finding[]> {
    const { devnet, scene } = this.#stage;
    const child = await this.#running();
    for (let blocks = 0; blocks < QUIET_BLOCKS; blocks++) {
      const from = child.lines.length;
      await this.#seal();
      if (!child.lines.slice(from).some(({ event }) => event === 'attempt.sent' || event.startsWith('attempt.'))) break;
    }
    const findings = [...(await this.#findings())];
    const blockNumber = await this.#head();
    const accounts = devnet.market.borrowers.map(({ address }) => address);
    const liquidatable = await liquidatableAt(scene.rpcUrl, scene.pool, accounts, blockNumber);
    const verdicts = await judge({
      rpcUrl: scene.rpcUrl,
      blockNumber,
      accounts: liquidatable,
      minProfitUsd: LENS_MIN_PROFIT_USD,
      deployments: devnet.deployments,
    });
    for (const { account, best } of verdicts)
      if (best !== null)
        findings.push({
          kind: 'lost',
          what: `${getAddress(account)} would still pay ${best.profitUsd.toFixed(2)} USD at block ${blockNumber}`,
        });
    const { code, stderr } = await child.end('SIGTERM');
    if (code !== 0) findings.push({ kind: 'wrong', what: `the keeper exited ${code} on SIGTERM: ${stderr}` });
    return findings;
  }

  /** What all of it came to, by the ledger. */
  async sums(): Promise<{ readonly mined: number; readonly liquidations: number }> {
    const ledger = await readLedger(this.#stage.scene.dataDir);
    const mined = (await ledger.transactions({}).finally(() => ledger.close())).filter((each) => each.mined !== undefined);
    const attempts = mined.flatMap((each) => each.attempts);
    return { mined: mined.length, liquidations: attempts.filter(({ result }) => result?.outcome === 'included').length };
  }

  async close(): Promise<void> {
    await this.#child?.end('SIGKILL');
  }

  async #dieAt(failpoint: Failpoint): Promise<boolean> {
    if (failpoint.point === 'ledger.put') {
      // Written once, when the ledger is new: so it is, nothing having been sent yet.
      await this.#child?.end('SIGTERM');
      await rm(this.#stage.scene.dataDir, { recursive: true, force: true });
      this.#child = this.#start(failpoint);
      await this.#child.until(({ event }) => event === 'block.processed', 'a death at the first start');
      return (await this.#dead(this.#child)) || this.#giveUp();
    }
    const child = await this.#running();
    await child.arm(failpoint);
    for (let round = 0; round < ROUNDS; round++) {
      await this.#provoke(failpoint.point);
      if (await this.#dead(child)) return true;
    }
    return this.#giveUp();
  }

  /** It was never reached: the next one gets a fresh process all the same. */
  async #giveUp(): Promise<false> {
    await this.#child?.end('SIGKILL');
    return false;
  }

  async #provoke(point: Point): Promise<void> {
    const { builder } = this.#stage.devnet;
    switch (point) {
      case 'ledger.setSwitch':
      case 'ledger.acknowledge':
        // Whatever became of the first command, the keeper is paused or not: one of these changes that.
        await this.#command('pause');
        await this.#command('resume');
        return;
      case 'ledger.resetFailures':
        await this.#command('resume');
        return;
      case 'ledger.goPublic':
      case 'chain.broadcast':
        // In bundle mode it is what remains when the relay fails; bundles behind the update that is still pending are refused as well.
        await builder.fault({ kind: 'http500', method: 'eth_sendBundle' });
        await this.#liquidate();
        await builder.clearFaults();
        return;
      case 'ledger.reopen': {
        await this.#liquidate();
        const child = this.#child!;
        const from = child.lines.length;
        await builder.reorg(await this.#depth(), this.#random.pick(['drop', 'return', 'keep']));
        await child.until(({ event }) => event === 'reorg.handled' || event === 'block.failed', 'the reorg', from);
        await this.#seal();
        return;
      }
      default:
        await this.#liquidate();
    }
  }

  /** A price falls, and the next block has its chance. */
  async #liquidate(): Promise<void> {
    await this.#market.fall();
    await this.#seal();
    await this.#seal();
  }

  async #command(command: 'pause' | 'resume'): Promise<void> {
    await Promise.race([commandKeeper(this.#stage.scene.dataDir, { command, afterKill: false }), this.#child!.ended]);
  }

  /** The chain goes on without the keeper, or goes back. */
  async #whileDown(): Promise<void> {
    const { builder } = this.#stage.devnet;
    await builder.clearFaults();
    for (let blocks = Math.floor(this.#random.between(0, 3)); blocks > 0; blocks--) await builder.seal();
    const back = this.#random.next() < REORG_WHILE_DOWN_SHARE ? await this.#depth() : 0;
    if (back > 0) await builder.reorg(back, this.#random.pick(['drop', 'return', 'keep']));
  }

  /** NOTE: never below the keeper's first block, where there is no Executor yet. */
  async #depth(): Promise<number> {
    const depth = 1 + Math.floor(this.#random.between(0, DEEPEST_REORG));
    return Math.min(depth, (await this.#head()) - this.#stage.scene.before);
  }

  async #recover(): Promise<void> {
    const { dataDir } = this.#stage.scene;
    await this.#running();
    for (let blocks = 0; blocks < SETTLING_BLOCKS; blocks++) await this.#seal();
    // A command that was left when it died may have been carried out.
    const answer = await commandKeeper(dataDir, { command: 'resume', afterKill: false });
    if (answer.kind !== 'answered' || !answer.done) throw new Error(`resume was not done: ${JSON.stringify(answer)}`);
  }

  async #running(): Promise<Child> {
    if (this.#child !== undefined && !(await this.#dead(this.#child))) return this.#child;
    const child = this.#start();
    this.#child = child;
    const head = await this.#head();
    const line = await child.until(
      ({ event, block }) => event === 'block.processed' && Number(block) >= head,
      `block ${head} after the start`,
    );
    if (line === undefined) throw new Error(`it did not start again: ${(await child.ended).stderr || tail(child.lines)}`);
    return child;
  }

  #start(failpoint?: Failpoint): Child {
    return startTrapped({ environment: this.#stage.environment, cwd: this.#stage.folder, failpoint });
  }

  /** One block; resolves when the keeper has processed it, or is dead. */
  async #seal(): Promise<void> {
    const { number } = await this.#stage.devnet.builder.seal();
    await this.#child?.until(({ event, block }) => event === 'block.processed' && Number(block) >= number, `block ${number}`);
  }

  /** NOTE: a process that killed itself is dead a moment before we hear of it. */
  async #dead(child: Child): Promise<boolean> {
    const alive = new Promise<false>((resolve) => setTimeout(() => resolve(false), 20));
    return (await Promise.race([child.ended, alive])) !== false;
  }

  async #head(): Promise<number> {
    return Number(await rpc<Hex>(this.#stage.scene.rpcUrl, 'eth_blockNumber'));
  }

  /** Each finding once, for the run that brought it. */
  async #findings(): Promise<readonly Finding[]> {
    const fresh = (await audit(this.#stage.scene)).filter(({ what }) => !this.#known.has(what));
    for (const { what } of fresh) this.#known.add(what);
    return fresh;
  }
}
