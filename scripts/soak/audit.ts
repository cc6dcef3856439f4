/** The books against the chain: what is mined by plain calls, what the builder was given, and what the ledger says of both. */
import { type Address, getAddress, type Hex, numberToHex } from 'viem';
import { readLedger, type TransactionRecord } from '../../src/ledger/reader.ts';
import { balancesAt, type Liquidation, liquidationsBetween } from '../demo/observe.ts';
import type { BuilderControl } from '../devnet/builder/client.ts';
import { rpc, rpcBatch } from '../devnet/rpc.ts';

export type Scene = {
  readonly rpcUrl: string;
  readonly builder: Pick<BuilderControl, 'bundles'>;
  readonly pool: Address;
  readonly tokens: readonly Address[];
  readonly executor: Address;
  /** The lanes; the first is also the treasury. */
  readonly senders: readonly Address[];
  readonly dataDir: string;
  /** The last block before the keeper's first. */
  readonly before: number;
  readonly opening: Opening;
};

/** What was there at the block before the keeper's first. Read then: a node forgets the state of old blocks. */
export type Opening = { readonly nonces: ReadonlyMap<Address, number>; readonly balances: ReadonlyMap<Address, bigint> };

export async function openingOf(scene: Pick<Scene, 'rpcUrl' | 'tokens' | 'executor' | 'senders' | 'before'>): Promise<Opening> {
  const nonces = await Promise.all(scene.senders.map(async (sender) => [sender, await nonceAt(scene, sender, scene.before)] as const));
  return { nonces: new Map(nonces), balances: await balancesAt(scene.rpcUrl, holdersOf(scene), scene.tokens, scene.before) };
}

/** `wrong`: the ledger says something else than the chain. `duplicate`: one liquidation could have been, or was, done twice. `lost`: known to the chain alone. */
export type Finding = { readonly kind: 'wrong' | 'duplicate' | 'lost'; readonly what: string };

type Mined = {
  readonly hash: Hex;
  readonly from: Address;
  readonly nonce: number;
  readonly block: number;
  readonly blockHash: Hex;
  readonly succeeded: boolean;
};

/** To be asked when the keeper has processed the head. Says nothing when all is well. */
export async function audit(scene: Scene): Promise<readonly Finding[]> {
  const head = Number(await rpc<Hex>(scene.rpcUrl, 'eth_blockNumber'));
  const mined = await minedBy(scene, head);
  const ledger = await readLedger(scene.dataDir);
  const records = await ledger.transactions({}).finally(() => ledger.close());
  const liquidations = (await liquidationsBetween(scene.rpcUrl, scene.pool, scene.before + 1, head)).filter(
    ({ liquidator }) => liquidator === getAddress(scene.executor),
  );
  return [
    ...outcomes(mined, records, head),
    ...(await Promise.all(scene.senders.map((sender) => nonces(scene, sender, mined, records, head)))).flat(),
    ...once(records, liquidations),
    ...(await heardOf(scene, records, head)),
    ...(await balances(scene, records, head)),
  ];
}

/** Everything mined is in the ledger with its outcome, everything in the ledger is on the chain or settled as not. */
function outcomes(mined: readonly Mined[], records: readonly TransactionRecord[], head: number): Finding[] {
  const findings: Finding[] = [];
  const known = new Map(records.map((record) => [record.txHash, record]));
  const onChain = new Set(mined.map(({ hash }) => hash));
  for (const { hash, block, blockHash, succeeded } of mined) {
    const record = known.get(hash);
    const where = `${hash} is mined in block ${block}`;
    if (record === undefined) findings.push({ kind: 'lost', what: `${where} and was never intended` });
    else if (record.outcome === undefined) findings.push({ kind: 'lost', what: `${where} and open in the ledger` });
    else if (record.outcome !== (succeeded ? 'included' : 'reverted'))
      findings.push({ kind: 'wrong', what: `${where} (${succeeded ? 'succeeded' : 'reverted'}) and ${record.outcome} in the ledger` });
    else if (record.mined?.block !== block || record.mined.blockHash !== blockHash)
      findings.push({ kind: 'wrong', what: `${where}, the ledger says ${record.mined?.block} ${record.mined?.blockHash}` });
  }
  for (const { txHash, outcome, mined: place, lastBlock } of records) {
    if (place !== undefined && !onChain.has(txHash))
      findings.push({ kind: 'wrong', what: `${txHash} is ${outcome} in the ledger and not on the chain` });
    if (outcome === undefined && lastBlock <= head && !onChain.has(txHash))
      findings.push({ kind: 'lost', what: `${txHash} could run until block ${lastBlock} and is not settled at ${head}` });
  }
  return findings;
}

/** A sender's are used one after another, and what is under way goes on from there. */
async function nonces(
  scene: Scene,
  sender: Address,
  mined: readonly Mined[],
  records: readonly TransactionRecord[],
  head: number,
): Promise<Finding[]> {
  const [first, next] = [scene.opening.nonces.get(sender)!, await nonceAt(scene, sender, head)];
  const ours = (address: Address) => getAddress(address) === getAddress(sender);
  const used = mined
    .filter(({ from }) => ours(from))
    .map(({ nonce }) => nonce)
    .sort((a, b) => a - b);
  const gaps = used.flatMap((nonce, index) =>
    nonce === first + index ? [] : [`nonce ${nonce} of ${sender} where ${first + index} was expected`],
  );
  const open = new Set(records.filter(({ outcome, lane }) => outcome === undefined && ours(lane)).map(({ nonce }) => nonce));
  for (let expected = next; open.size > 0; expected++)
    if (!open.delete(expected))
      return [{ kind: 'wrong', what: `open nonces ${[...open].join(', ')} of ${sender}, the next is ${expected}` }];
  return gaps.map((what) => ({ kind: 'wrong', what }));
}

/** Each liquidation belongs to one attempt; no two transactions could have done the same one. */
function once(records: readonly TransactionRecord[], liquidations: readonly Liquidation[]): Finding[] {
  const findings: Finding[] = [];
  const done = new Map<string, number>();
  for (const { txHash, account } of liquidations) {
    const key = `${txHash} ${account.toLowerCase()}`;
    done.set(key, (done.get(key) ?? 0) + 1);
  }
  for (const { txHash, attempts } of records) {
    for (const { account, result } of attempts) {
      const times = done.get(`${txHash} ${account}`) ?? 0;
      done.delete(`${txHash} ${account}`);
      if (times > 1) findings.push({ kind: 'duplicate', what: `${account} was liquidated ${times} times by ${txHash}` });
      if (times > 0 !== (result?.outcome === 'included'))
        findings.push({
          kind: 'wrong',
          what: `${account} in ${txHash}: ${times} liquidations, the ledger says ${result?.outcome ?? 'open'}`,
        });
    }
  }
  for (const key of done.keys()) findings.push({ kind: 'lost', what: `a liquidation without an attempt: ${key}` });
  for (const [index, one] of records.entries()) {
    for (const other of records.slice(index + 1)) {
      const rivals = one.lane === other.lane && one.nonce === other.nonce;
      const over = isOver(one, other.targetBlock) || isOver(other, one.targetBlock);
      // NOTE: of two bundles the second can only land where it pays again: what reverts is not mined.
      const costly = one.channel === 'public' || other.channel === 'public';
      const together = costly && one.targetBlock <= other.lastBlock && other.targetBlock <= one.lastBlock && !rivals && !over;
      const shared = together && one.attempts.find(({ account }) => other.attempts.some((attempt) => attempt.account === account));
      if (shared) findings.push({ kind: 'duplicate', what: `${one.txHash} and ${other.txHash} could both have taken ${shared.account}` });
    }
  }
  return findings;
}

/** Mined, to whatever end, before a block: it can do nothing more. */
function isOver({ mined }: TransactionRecord, block: number): boolean {
  return mined !== undefined && mined.block < block;
}

/** Whatever left the keeper was written down before. */
async function heardOf(scene: Scene, records: readonly TransactionRecord[], head: number): Promise<Finding[]> {
  const known = new Set(records.map(({ txHash }) => txHash));
  const heard = new Set<Hex>();
  const lanes = new Set(scene.senders.map((sender) => getAddress(sender)));
  for (let number = scene.before + 1; number <= head + 1; number++)
    for (const { txs, senders } of await scene.builder.bundles(number))
      for (const [place, hash] of txs.entries()) if (lanes.has(getAddress(senders[place]!))) heard.add(hash);
  type Pool = Record<'pending' | 'queued', Record<string, Record<string, { hash: Hex }>>>;
  const { pending, queued } = await rpc<Pool>(scene.rpcUrl, 'txpool_content');
  const ours = (part: Pool['pending']) =>
    scene.senders.flatMap((sender) => Object.values(part[getAddress(sender)] ?? part[sender.toLowerCase()] ?? {}));
  for (const { hash } of ours(pending)) heard.add(hash);
  return [
    ...[...heard]
      .filter((hash) => !known.has(hash))
      .map((hash): Finding => ({ kind: 'lost', what: `${hash} was sent and never intended` })),
    ...ours(queued).map(({ hash }): Finding => ({ kind: 'wrong', what: `${hash} waits in the pool behind a gap of nonces` })),
  ];
}

/** The sum of what the ledger says of each transaction is the change of our balances, asset by asset, to the wei. */
async function balances(scene: Scene, records: readonly TransactionRecord[], head: number): Promise<Finding[]> {
  const start = scene.opening.balances;
  const end = await balancesAt(scene.rpcUrl, holdersOf(scene), scene.tokens, head);
  const booked = new Map<string, bigint>();
  for (const { mined } of records)
    for (const [asset, delta] of Object.entries(mined?.balanceChanges ?? {})) booked.set(asset, (booked.get(asset) ?? 0n) + delta);
  return [...end].flatMap(([asset, held]): Finding[] => {
    const [ours, theirs] = [booked.get(asset) ?? 0n, held - start.get(asset)!];
    return ours === theirs ? [] : [{ kind: 'wrong', what: `the ledger has ${ours - theirs} of ${asset} more than the chain` }];
  });
}

async function minedBy({ rpcUrl, senders, before }: Scene, head: number): Promise<readonly Mined[]> {
  type Block = { hash: Hex; number: Hex; transactions: { hash: Hex; from: Hex; nonce: Hex }[] };
  const lanes = new Set(senders.map((sender) => sender.toLowerCase()));
  const numbers = Array.from({ length: head - before }, (_, index) => numberToHex(before + 1 + index));
  const blocks = await rpcBatch<Block>(
    rpcUrl,
    numbers.map((number) => ({ method: 'eth_getBlockByNumber', params: [number, true] })),
  );
  const ours = blocks.flatMap(({ hash, number, transactions }) =>
    transactions.filter(({ from }) => lanes.has(from)).map((transaction) => ({ ...transaction, number, blockHash: hash })),
  );
  const receipts = await rpcBatch<{ status: Hex }>(
    rpcUrl,
    ours.map(({ hash }) => ({ method: 'eth_getTransactionReceipt', params: [hash] })),
  );
  return ours.map(({ hash, from, nonce, number, blockHash }, index) => ({
    hash,
    from,
    nonce: Number(nonce),
    block: Number(number),
    blockHash,
    succeeded: receipts[index]!.status === '0x1',
  }));
}

function holdersOf({ executor, senders }: Pick<Scene, 'executor' | 'senders'>): readonly Address[] {
  return [executor, ...senders];
}

async function nonceAt({ rpcUrl }: Pick<Scene, 'rpcUrl'>, sender: Address, block: number): Promise<number> {
  return Number(await rpc<Hex>(rpcUrl, 'eth_getTransactionCount', [sender, numberToHex(block)]));
}
