import { Heads } from '../../src/chain/heads.ts';
import { RpcPool } from '../../src/chain/rpc.ts';
import type { ChainNotice } from '../../src/chain/types.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import { Mirror } from '../../src/mirror/mirror.ts';
import type { MirrorUpdate } from '../../src/mirror/reports.ts';
import type { TallyChain } from './tally-chain.ts';
import { TallyMirror } from './tally-mirror.ts';

export type Notice<K extends ChainNotice['kind']> = Extract<ChainNotice, { kind: K }>;

/** A mirror that follows a chain over endpoints of all sorts, as a keeper does. */
export class EndpointPlay {
  readonly chain: TallyChain;
  readonly pool: RpcPool;
  readonly mirror: Mirror;
  readonly heads: Heads;
  readonly tally: TallyMirror;
  readonly notices: ChainNotice[];
  readonly updates: MirrorUpdate[] = [];
  readonly #following: Promise<void>;

  private constructor(chain: TallyChain, pool: RpcPool, mirror: Mirror, tally: TallyMirror, notices: ChainNotice[]) {
    this.chain = chain;
    this.pool = pool;
    this.mirror = mirror;
    this.tally = tally;
    this.notices = notices;
    this.heads = new Heads(pool, mirror.recent, { timeoutMs: 1_500, notify: (notice) => void notices.push(notice) });
    this.#following = this.#follow();
  }

  static async start(chain: TallyChain, urls: readonly string[]): Promise<EndpointPlay> {
    const notices: ChainNotice[] = [];
    const secret = urls.map((url) => new SecretUrl(url));
    const pool = await RpcPool.open(secret, { timeoutMs: 2_500, notify: (notice) => void notices.push(notice) });
    const tally = new TallyMirror(chain.tally);
    const mirror = await Mirror.sync(pool, [tally], { multicall3: chain.multicall3, auditLimit: 0 });
    return new EndpointPlay(chain, pool, mirror, tally, notices);
  }

  of<K extends ChainNotice['kind']>(kind: K): readonly Notice<K>[] {
    return this.notices.filter((notice): notice is Notice<K> => notice.kind === kind);
  }

  /** What a sync from the node itself says. */
  async fresh(): Promise<unknown> {
    const pool = await RpcPool.open([new SecretUrl(this.chain.http)]);
    const tally = new TallyMirror(this.chain.tally);
    await Mirror.sync(pool, [tally], { multicall3: this.chain.multicall3, auditLimit: 0 });
    pool.close();
    return tally.state();
  }

  /** Does the mirror stand at the chain's newest block? */
  async isThere(): Promise<boolean> {
    return this.mirror.head.hash === (await this.chain.block()).hash;
  }

  async close(): Promise<void> {
    this.heads.close();
    await this.#following;
    this.pool.close();
  }

  async #follow(): Promise<void> {
    const { mirror, heads, updates } = this;
    for (let event = await heads.next(mirror.head); event !== null; event = await heads.next(mirror.head)) {
      const update = await mirror.onHeads(event);
      updates.push(update);
      if (update.resynced) heads.restart(mirror.recent);
    }
  }
}
