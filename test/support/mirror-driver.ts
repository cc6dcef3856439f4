/** Drives one Mirrored over a real chain, block by block, as simply as can be. */
import type { Hex } from 'viem';
import { RpcError, rpc, rpcBatch } from '../../scripts/devnet/rpc.ts';
import { mapBounded } from '../../src/lib/async.ts';
import type { Address, Head, RawLog, ViewAnswer, ViewCall } from '../../src/lib/types.ts';
import type { Mirrored, Undo } from '../../src/mirror/types.ts';

type RpcBlock = { number: Hex; hash: Hex; parentHash: Hex; timestamp: Hex; baseFeePerGas: Hex; gasLimit: Hex; gasUsed: Hex };
type RpcLog = { address: Address; topics: Hex[]; data: Hex; blockNumber: Hex; blockHash: Hex; logIndex: Hex; transactionHash: Hex };
type Followed = Pick<Mirrored, 'anchor' | 'apply' | 'filters' | 'discover' | 'discoveryFilters' | 'audit'>;

export class MirrorDriver {
  readonly #url: string;
  readonly #mirrored: Followed;
  #next = 0;

  constructor(url: string, mirrored: Followed) {
    this.#url = url;
    this.#mirrored = mirrored;
  }

  /** Discovers and anchors at the latest block. Returns how many calls that took. */
  async anchor(): Promise<number> {
    const head = await this.#head('latest');
    const discovery = await this.#logs(this.#mirrored.discoveryFilters(), 0, head.number);
    this.#mirrored.discover(discovery);
    const reading = this.#mirrored.anchor(head);
    let calls = 0;
    for (let step = reading.next(); !step.done; ) {
      calls += step.value.length;
      step = reading.next(await this.answers(step.value));
    }
    this.#next = head.number + 1;
    return calls;
  }

  /** Applies every block since; a block during which the filters grew is taken back and applied again. */
  async follow(): Promise<Undo[]> {
    const { number } = await this.#head('latest');
    const undos: Undo[] = [];
    for (; this.#next <= number; this.#next++) {
      const head = await this.#head(`0x${this.#next.toString(16)}`);
      let filters = JSON.stringify(this.#mirrored.filters());
      for (;;) {
        const undo = this.#mirrored.apply(head, await this.#logs(JSON.parse(filters), head.number, head.number));
        const after = JSON.stringify(this.#mirrored.filters());
        if (after === filters) {
          undos.push(undo);
          break;
        }
        undo();
        filters = after;
      }
    }
    return undos;
  }

  /** Takes blocks back, newest first; `follow` then applies them again. */
  takeBack(undos: readonly Undo[]): void {
    for (const undo of undos.toReversed()) undo();
    this.#next -= undos.length;
  }

  async mismatches(limit: number, seed: number): Promise<{ subject: string; ours: string; theirs: string }[]> {
    const { number, hash } = await this.#head('latest');
    const checks = this.#mirrored.audit({ number, hash }, limit, seed);
    const answers = await this.answers(checks.map(({ call }) => call));
    return checks.flatMap(({ subject, compare }, index) => {
      const difference = compare(answers[index]!);
      return difference === null ? [] : [{ subject, ...difference }];
    });
  }

  async answers(calls: readonly ViewCall[]): Promise<ViewAnswer[]> {
    const requests = calls.map((call) => ({ method: 'eth_call', params: [call, 'latest'] }));
    try {
      return (await rpcBatch<Hex>(this.#url, requests)).map((data) => ({ ok: true, data }));
    } catch (error) {
      // A batch does not say which of its calls reverted.
      if (!(error instanceof RpcError)) throw error;
      return mapBounded(requests, 8, ({ method, params }) =>
        rpc<Hex>(this.#url, method, params).then(
          (data): ViewAnswer => ({ ok: true, data }),
          (): ViewAnswer => ({ ok: false, data: '0x' }),
        ),
      );
    }
  }

  async #head(tag: string): Promise<Head> {
    const block = await rpc<RpcBlock>(this.#url, 'eth_getBlockByNumber', [tag, false]);
    return {
      number: Number(block.number),
      hash: block.hash,
      parentHash: block.parentHash,
      timestamp: Number(block.timestamp),
      baseFeeWei: BigInt(block.baseFeePerGas),
      gasLimit: BigInt(block.gasLimit),
      gasUsed: BigInt(block.gasUsed),
    };
  }

  async #logs(
    filters: readonly { addresses?: readonly Address[]; topics0: readonly Hex[] }[],
    from: number,
    to: number,
  ): Promise<RawLog[]> {
    const found = await rpcBatch<RpcLog[]>(
      this.#url,
      filters.map(({ addresses, topics0 }) => ({
        method: 'eth_getLogs',
        params: [
          {
            fromBlock: `0x${from.toString(16)}`,
            toBlock: `0x${to.toString(16)}`,
            topics: [topics0],
            ...(addresses ? { address: addresses } : {}),
          },
        ],
      })),
    );
    return found
      .flat()
      .map((log) => ({ ...log, blockNumber: Number(log.blockNumber), logIndex: Number(log.logIndex) }))
      .sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex);
  }
}
