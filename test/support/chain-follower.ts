/** Drives mirrored state by hand, block by block, over plain JSON-RPC: what the sync engine does, without any of its care. */
import { rpc, rpcBatch } from '../../scripts/devnet/rpc.ts';
import { router } from '../../src/chain/filters.ts';
import { decodeAggregate3, encodeAggregate3 } from '../../src/chain/multicall.ts';
import type { Address, Head, Hex, RawLog, ViewAnswer, ViewCall } from '../../src/lib/types.ts';
import type { Mirrored, Reading, Undo } from '../../src/mirror/types.ts';

type Block = { number: Hex; hash: Hex; parentHash: Hex; timestamp: Hex; baseFeePerGas: Hex; gasLimit: Hex; gasUsed: Hex };
type Log = Omit<RawLog, 'blockNumber' | 'logIndex'> & { blockNumber: Hex; logIndex: Hex };

export class ChainFollower {
  readonly rpcUrl: string;
  /** In the order in which each block reaches them. */
  readonly mirrored: readonly Mirrored[];
  head!: Head;
  readonly #undos: Undo[] = [];
  readonly #multicall3: Address;

  constructor(rpcUrl: string, multicall3: Address, mirrored: readonly Mirrored[]) {
    this.rpcUrl = rpcUrl;
    this.#multicall3 = multicall3;
    this.mirrored = mirrored;
  }

  /** Discovers up to the latest block and anchors there. */
  async anchor(): Promise<void> {
    this.head = await this.headAt();
    for (const mirrored of this.mirrored) {
      for (const { topics0 } of mirrored.discoveryFilters()) {
        const range = { fromBlock: quantity(mirrored.fromBlock), toBlock: quantity(this.head.number), topics: [topics0] };
        mirrored.discover((await rpc<Log[]>(this.rpcUrl, 'eth_getLogs', [range])).map(toRawLog));
      }
    }
    for (const mirrored of this.mirrored) await this.perform(mirrored.anchor(this.head), this.head);
  }

  /** Follows to the latest block. */
  async advance(): Promise<void> {
    const latest = Number(await rpc<Hex>(this.rpcUrl, 'eth_blockNumber'));
    for (let number = this.head.number + 1; number <= latest; number++) this.#undos.push(await this.#step(number));
  }

  /** Takes back every block above this one. */
  takeBackTo(number: number): void {
    while (this.head.number > number) {
      const undo = this.#undos.pop();
      if (undo === undefined) throw new RangeError(`block ${this.head.number} cannot be taken back`);
      undo();
    }
  }

  async #step(number: number): Promise<Undo> {
    const before = this.head;
    const head = await this.headAt(number);
    const logs = (await rpc<Log[]>(this.rpcUrl, 'eth_getLogs', [{ blockHash: head.hash }])).map(toRawLog);
    const undos: Undo[] = [];
    for (const mirrored of this.mirrored) undos.push(mirrored.apply(head, logs.filter(router(mirrored.filters()))));
    for (const mirrored of this.mirrored) undos.push(mirrored.ingest(head, await this.call(mirrored.reads(head), head)));
    this.head = head;
    return () => {
      for (const undo of undos.reverse()) undo();
      this.head = before;
    };
  }

  /** Everything that the audit would ever compare, at the mirrored block: what differs. */
  async audit(): Promise<string[]> {
    const found: string[] = [];
    for (const mirrored of this.mirrored) {
      const checks = mirrored.audit(this.head, 100_000, this.head.number);
      const answers = await this.call(
        checks.map(({ call }) => call),
        this.head,
      );
      for (const [place, check] of checks.entries()) {
        const difference = check.compare(answers[place]!);
        if (difference !== null) found.push(`${check.subject}: ours ${difference.ours}, theirs ${difference.theirs}`);
      }
    }
    return found;
  }

  async headAt(number?: number): Promise<Head> {
    const block = await rpc<Block>(this.rpcUrl, 'eth_getBlockByNumber', [number === undefined ? 'latest' : quantity(number), false]);
    return {
      ...{ number: Number(block.number), hash: block.hash, parentHash: block.parentHash, timestamp: Number(block.timestamp) },
      ...{ baseFeeWei: BigInt(block.baseFeePerGas), gasLimit: BigInt(block.gasLimit), gasUsed: BigInt(block.gasUsed) },
    };
  }

  async perform<T>(reading: Reading<T>, head: Head): Promise<T> {
    let step = reading.next([]);
    while (!step.done) step = reading.next(await this.call(step.value, head));
    return step.value;
  }

  async call(calls: readonly ViewCall[], head: Head): Promise<ViewAnswer[]> {
    const isAlone = (call: ViewCall) => call.alone === true || call.storage === true;
    const alone = await Promise.all(calls.filter(isAlone).map((call) => this.#callAlone(call, head)));
    const together = await this.#callTogether(
      calls.filter((call) => !isAlone(call)),
      head,
    );
    return calls.map((call) => (isAlone(call) ? alone : together).shift()!);
  }

  async #callAlone({ to, data, storage }: ViewCall, head: Head): Promise<ViewAnswer> {
    const at = { blockHash: head.hash };
    try {
      if (storage) return { ok: true, data: await rpc<Hex>(this.rpcUrl, 'eth_getStorageAt', [to, data, at]) };
      return { ok: true, data: await rpc<Hex>(this.rpcUrl, 'eth_call', [{ to, data }, at]) };
    } catch {
      return { ok: false, data: '0x' };
    }
  }

  async #callTogether(calls: readonly ViewCall[], head: Head): Promise<ViewAnswer[]> {
    if (calls.length === 0) return [];
    const chunks: ViewCall[][] = [];
    for (let from = 0; from < calls.length; from += CHUNK) chunks.push(calls.slice(from, from + CHUNK));
    // NOTE: through Multicall3 a call that reverts is an answer; over plain JSON-RPC it would fail the batch.
    const returned = await rpcBatch<Hex>(
      this.rpcUrl,
      chunks.map((chunk) => ({
        method: 'eth_call',
        params: [{ to: this.#multicall3, data: encodeAggregate3(chunk) }, { blockHash: head.hash }],
      })),
    );
    return chunks.flatMap((chunk, place) => decodeAggregate3(returned[place]!, chunk.length));
  }
}

const CHUNK = 200;

function toRawLog(log: Log): RawLog {
  return { ...log, address: log.address.toLowerCase() as Address, blockNumber: Number(log.blockNumber), logIndex: Number(log.logIndex) };
}

function quantity(value: number): Hex {
  return `0x${value.toString(16)}`;
}
