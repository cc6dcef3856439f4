/** Many blocks of random activity under one keeper, which is never killed: does what it knows stay true, and does what it needs stay the same? */
import { writeFile } from 'node:fs/promises';
import { fundArbitrageur, startArbitrageur } from '../devnet/arbitrageur.ts';
import { SetupChain } from '../devnet/chain.ts';
import { FaultProxy } from '../devnet/fault-proxy.ts';
import { devAccount } from '../devnet/keys.ts';
import { Prng } from '../devnet/prng.ts';
import { Activity } from './activity.ts';
import { audit, type Finding } from './audit.ts';
import { type Child, startRun, tail } from './child.ts';
import { inUse, isFlat, type Sample, sampleOf, type Trend, trendOf } from './memory.ts';
import type { Say } from './soak.ts';
import { openStage, type Stage } from './stage.ts';
import { Witness } from './witness.ts';

export type BlocksOptions = { readonly blocks: number; readonly seed: number; readonly positions: number };

export type BlocksResult = {
  readonly ok: boolean;
  readonly blocks: number;
  readonly transactions: number;
  readonly liquidations: number;
  readonly reorgs: number;
  /** Comparisons with judging everybody, and positions judged for them. */
  readonly comparisons: number;
  readonly judged: number;
  readonly findings: readonly Finding[];
  readonly rss: Trend | undefined;
  readonly heap: Trend | undefined;
  readonly samples: readonly Sample[];
  readonly seconds: number;
};

const REORG_SHARE = 0.01;
const DEEPEST_REORG = 4;
/** Blocks between two samples of memory, two comparisons with judging everybody, two lines of what has been done, and two looks at the ledger. */
const SAMPLED_EVERY = 20;
const COMPARED_EVERY = 10;
const TOLD_EVERY = 100;
const BOOKS_EVERY = 1_000;
/** As a full node keeps them. */
const STATES_KEPT = 128;
/** Blocks in which everything under way is settled at the end. */
const QUIET_BLOCKS = 8;
/** Lines of the keeper's log that must not come. */
const TROUBLE: ReadonlySet<string> = new Set(['audit.mismatch', 'market.suspended', 'block.failed', 'breaker.opened', 'snapshot.failed']);

export async function soakBlocks(options: BlocksOptions, signal: AbortSignal, say: Say, json?: string): Promise<BlocksResult> {
  const stage = await openStage({ positions: options.positions, seed: options.seed, publicMempool: 'fallback', states: STATES_KEPT });
  const chain = new SetupChain(stage.devnet.rpcUrl, devAccount('deployer'));
  await chain.prepare();
  await fundArbitrageur(chain, stage.devnet.market);
  const node = await FaultProxy.start(stage.devnet.rpcUrl);
  const environment = { ...stage.environment, RPC_URLS: `${node.ws},${node.http}` };
  const child = startRun({ environment, cwd: stage.folder });
  const arbitrageur = startArbitrageur({ rpcUrl: stage.devnet.rpcUrl, market: stage.devnet.market, seed: options.seed, onError: () => {} });
  let witness: Witness | undefined;
  try {
    witness = await Witness.open({ ...stage, environment });
    const run = new BlockRun(stage, node, child, witness, options, say);
    await run.play(signal);
    const result = await run.result();
    if (json !== undefined) await writeFile(json, `${JSON.stringify(result, null, 2)}\n`);
    return result;
  } finally {
    witness?.close();
    await arbitrageur.stop();
    await child.end('SIGKILL');
    await node.stop();
    await stage.close();
  }
}

class BlockRun {
  readonly #stage: Stage;
  /** What the keeper and the witness know of the chain comes through it. */
  readonly #node: FaultProxy;
  readonly #child: Child;
  readonly #witness: Witness;
  readonly #options: BlocksOptions;
  readonly #say: Say;
  readonly #random: Prng;
  readonly #activity: Activity;
  readonly #samples: Sample[] = [];
  readonly #findings: Finding[] = [];
  readonly #began = performance.now();
  /** Lines of the keeper that were looked at already. */
  #heard = 0;
  #liquidations = 0;
  #blocks = 0;
  #reorgs = 0;

  constructor(stage: Stage, node: FaultProxy, child: Child, witness: Witness, options: BlocksOptions, say: Say) {
    this.#stage = stage;
    this.#node = node;
    this.#child = child;
    this.#witness = witness;
    this.#options = options;
    this.#say = say;
    this.#random = new Prng(options.seed);
    this.#activity = new Activity(stage.devnet, this.#random);
  }

  async play(signal: AbortSignal): Promise<void> {
    const started = await this.#child.until(({ event }) => event === 'block.processed', 'the first block');
    if (started === undefined) throw new Error(`the keeper did not start: ${(await this.#child.ended).stderr || tail(this.#child.lines)}`);
    const dashboard = String(this.#child.lines.find(({ event }) => event === 'keeper.started')?.['dashboard']);
    while (this.#blocks < this.#options.blocks && !signal.aborted) {
      await this.#activity.act();
      if (this.#random.next() < REORG_SHARE) await this.#reorganise();
      const block = await this.#seal();
      this.#blocks++;
      this.#note(await this.#witness.follow(block));
      if (this.#blocks % COMPARED_EVERY === 0) this.#note(await this.#witness.compare());
      if (this.#blocks % SAMPLED_EVERY === 0) this.#samples.push(await sampleOf(this.#child.pid, dashboard, this.#blocks));
      if (this.#blocks % BOOKS_EVERY === 0) this.#note(await audit(this.#stage.scene));
      if (this.#blocks % TOLD_EVERY === 0) this.#tell();
    }
    for (let left = QUIET_BLOCKS; left > 0; left--) await this.#witness.follow(await this.#seal());
    this.#note(await this.#witness.compare());
    this.#note(await audit(this.#stage.scene));
    const { code, stderr } = await this.#child.end('SIGTERM');
    if (code !== 0) this.#note([{ kind: 'wrong', what: `the keeper exited ${code} on SIGTERM: ${stderr}` }]);
  }

  async result(): Promise<BlocksResult> {
    const [rss, heap] = [trendOf(this.#samples, 'rssMb'), trendOf(inUse(this.#samples), 'heapMb')];
    const flat = [rss, heap].every((trend) => trend === undefined || isFlat(trend));
    return {
      ok: this.#findings.length === 0 && flat && this.#blocks >= this.#options.blocks,
      ...{ blocks: this.#blocks, transactions: this.#activity.sent, liquidations: this.#liquidations, reorgs: this.#reorgs },
      ...{ comparisons: this.#witness.comparisons, judged: this.#witness.judged, findings: this.#findings },
      ...{ rss, heap, samples: this.#samples, seconds: (performance.now() - this.#began) / 1_000 },
    };
  }

  async #reorganise(): Promise<void> {
    const depth = 1 + Math.floor(this.#random.between(0, DEEPEST_REORG));
    if (depth >= this.#blocks) return;
    const from = this.#child.lines.length;
    // NOTE: while anvil reorganises it answers calls at any block from a state in between, whatever hash they name. A node's reorganisation is one step to those who ask.
    const reorganised = this.#stage.devnet.builder.reorg(depth, this.#random.pick(['drop', 'return', 'keep']));
    this.#node.fault = { kind: 'held', until: reorganised };
    const { to } = await reorganised;
    this.#node.fault = { kind: 'none' };
    await this.#child.until(({ event, block }) => event === 'block.processed' && Number(block) >= to, 'the reorganisation', from);
    this.#reorgs++;
    this.#hear();
  }

  /** One block; resolves when the keeper has processed it. */
  async #seal(): Promise<number> {
    const from = this.#child.lines.length;
    const { number } = await this.#stage.devnet.builder.seal();
    const seen = await this.#child.until(
      ({ event, block }) => event === 'block.processed' && Number(block) >= number,
      `block ${number}`,
      from,
    );
    if (seen === undefined) throw new Error(`the keeper ended: ${(await this.#child.ended).stderr || tail(this.#child.lines)}`);
    this.#hear();
    return number;
  }

  #hear(): void {
    for (; this.#heard < this.#child.lines.length; this.#heard++) {
      const line = this.#child.lines[this.#heard]!;
      if (line.event === 'attempt.included') this.#liquidations++;
      if (TROUBLE.has(line.event)) this.#note([{ kind: 'wrong', what: JSON.stringify(line) }]);
    }
  }

  #note(findings: readonly Finding[]): void {
    for (const finding of findings) {
      this.#findings.push(finding);
      this.#say.line(`  ${finding.kind}: ${finding.what} (seed ${this.#options.seed}, block ${this.#blocks})`);
    }
  }

  #tell(): void {
    const last = this.#samples.at(-1);
    const seconds = (performance.now() - this.#began) / 1_000;
    this.#say.line(
      `${this.#blocks} of ${this.#options.blocks} blocks, ${seconds.toFixed(0)} s: ${this.#activity.sent} transactions, ${this.#liquidations} liquidations, ${this.#reorgs} reorganisations, ` +
        `${this.#witness.comparisons} comparisons, ${this.#findings.length} findings; ${last?.rssMb.toFixed(0)} MB resident, ${last?.heapMb.toFixed(0)} MB heap`,
    );
  }
}

/** What came of it, for people. */
export function printBlocks(result: BlocksResult, out: NodeJS.WritableStream): void {
  const { blocks, seconds, transactions, liquidations, reorgs, comparisons, judged, findings, rss, heap, ok } = result;
  const trend = (name: string, told: Trend | undefined) =>
    told === undefined
      ? `${name}: too few blocks to tell`
      : `${name}: ${told.meanMb.toFixed(0)} MB, ${told.mbPerThousandBlocks >= 0 ? '+' : ''}${told.mbPerThousandBlocks.toFixed(2)} MB in 1,000 blocks (blocks ${told.from} to ${told.to})`;
  out.write(
    `\n${blocks} blocks in ${seconds.toFixed(0)} s: ${transactions} transactions, ${liquidations} liquidations, ${reorgs} reorganisations\n` +
      `${comparisons} comparisons with judging everybody (${judged} judgements) and with the pool's own view; ${findings.length} findings\n` +
      `${trend('resident', rss)}\n${trend('heap in use', heap)}\n${ok ? 'ok' : 'NOT ok'}\n`,
  );
}
