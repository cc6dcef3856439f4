/** One keeper between two tampered endpoints, on a chain whose slots pass when told to. */
import { FaultProxy } from '../devnet/fault-proxy.ts';
import { Prng } from '../devnet/prng.ts';
import type { Finding } from '../soak/audit.ts';
import { type Child, startTrapped } from '../soak/child.ts';
import type { Failpoint } from '../soak/failpoints.ts';
import { Market } from '../soak/market.ts';
import { openStage, type Stage } from '../soak/stage.ts';
import { LIMITS } from './limits.ts';

/** Blocks below the first run, for reorganisations to go back to. */
const FIRST_BLOCKS = 70;
const BLIND_MS = 40;
const READY_MS = 60_000;
/** So long may a block take before another is sealed; an endpoint that was given up may be asked again only then. */
const BLOCK_MS = 4_000;

export class ChaosScene {
  readonly stage: Stage;
  readonly random: Prng;
  readonly market: Market;
  /** In the operator's order: the first is subscribed to, the second is what remains. */
  readonly proxies: readonly [FaultProxy, FaultProxy];
  child!: Child;
  readonly #known = new Set<string>();
  #liquidations = 0;

  private constructor(stage: Stage, proxies: readonly [FaultProxy, FaultProxy], seed: number) {
    this.stage = stage;
    this.proxies = proxies;
    this.random = new Prng(seed);
    this.market = new Market(stage.devnet, this.random);
  }

  static async open(positions: number, seed: number): Promise<ChaosScene> {
    const stage = await openStage({ positions, seed, publicMempool: 'never' });
    const proxies = [await FaultProxy.start(stage.scene.rpcUrl), await FaultProxy.start(stage.scene.rpcUrl)] as const;
    const scene = new ChaosScene(stage, proxies, seed);
    for (let block = 0; block < FIRST_BLOCKS; block++) await stage.devnet.builder.seal();
    await scene.start();
    return scene;
  }

  get environment(): Readonly<Record<string, string>> {
    const [first, second] = this.proxies;
    return { ...this.stage.environment, RPC_URLS: `${first.ws},${second.http}`, ...LIMITS };
  }

  /** Starts the same command; resolves when it has processed a block. Throws when it does not. */
  async start(failpoint?: Failpoint): Promise<void> {
    if (this.child !== undefined) this.#liquidations += included(this.child);
    this.child = startTrapped({ environment: this.environment, cwd: this.stage.folder, failpoint });
    const line = await this.child.until(({ event }) => event === 'block.processed', 'the first block after a start');
    if (line === undefined) throw new Error(`it did not start: ${(await this.child.ended).stderr}`);
  }

  /** What the same command says when it is expected not to start. */
  async refusal(): Promise<string> {
    const child = startTrapped({ environment: this.environment, cwd: this.stage.folder });
    const started = child.until(({ event }) => event === 'keeper.started', 'a refusal');
    if ((await started) === undefined) return (await child.ended).stderr;
    await child.end('SIGKILL');
    return '';
  }

  /** Is the process there? NOTE: one that killed itself is dead a moment before we hear of it. */
  async alive(): Promise<boolean> {
    const still = new Promise<true>((resolve) => setTimeout(() => resolve(true), 20));
    return (await Promise.race([this.child.ended, still])) === true;
  }

  /** Prices fall, and blocks pass whether the keeper sees them or not. */
  async live(blocks = 3): Promise<void> {
    await this.market.fall();
    for (let block = 0; block < blocks; block++) {
      await this.stage.devnet.builder.seal();
      await new Promise((resolve) => setTimeout(resolve, BLIND_MS));
    }
  }

  /** Milliseconds until the keeper, block after block, has processed the newest and says that it is ready. Throws after a minute. */
  async recover(): Promise<number> {
    const began = performance.now();
    for (;;) {
      const from = this.child.lines.length;
      const { number } = await this.stage.devnet.builder.seal();
      const reached = await Promise.race([
        this.child.until(({ event, block }) => event === 'block.processed' && Number(block) >= number, `block ${number}`, from),
        new Promise<'not yet'>((resolve) => setTimeout(() => resolve('not yet'), BLOCK_MS)),
      ]);
      if (reached === undefined) throw new Error(`the keeper ended: ${(await this.child.ended).stderr || 'without a word'}`);
      if (reached !== 'not yet' && (await this.ready())) return performance.now() - began;
      if (performance.now() - began > READY_MS) throw new Error(`not ready after a minute: ${await this.why()}`);
    }
  }

  async ready(): Promise<boolean> {
    return (await this.ask('/readyz')).status === 200;
  }

  async why(): Promise<string> {
    return JSON.stringify((await this.ask('/readyz')).body);
  }

  async ask(path: string): Promise<{ status: number; body: unknown }> {
    const dashboard = String(this.child.lines.find(({ event }) => event === 'keeper.started')?.['dashboard']);
    const response = await fetch(new URL(path, dashboard), { signal: AbortSignal.timeout(10_000) });
    return { status: response.status, body: await response.json() };
  }

  /** Findings that no earlier run has brought. */
  news(findings: readonly Finding[]): readonly Finding[] {
    const fresh = findings.filter(({ what }) => !this.#known.has(what));
    for (const { what } of fresh) this.#known.add(what);
    return fresh;
  }

  liquidations(): number {
    return this.#liquidations + included(this.child);
  }

  async close(): Promise<void> {
    await this.child.end('SIGKILL');
    for (const proxy of this.proxies) await proxy.stop();
    await this.stage.close();
  }
}

function included({ lines }: Child): number {
  return lines.filter(({ event }) => event === 'attempt.included').length;
}
