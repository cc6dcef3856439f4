import fc from 'fast-check';
import { type AbiEvent, decodeEventLog, encodeAbiParameters, encodeEventTopics, formatLog, parseAbiItem, type RpcLog } from 'viem';
import { describe, expect, it } from 'vitest';
import { parseLogs, ShapeError } from '../../src/chain/parse.ts';
import type { Address, Hex, RawLog } from '../../src/lib/types.ts';
import { dataWord, toAddress, topicAddress } from '../../src/lib/words.ts';

const hexOf = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((all) => `0x${Buffer.from(all).toString('hex')}` as Hex);
const mixed = (hex: fc.Arbitrary<Hex>) =>
  fc.tuple(hex, fc.boolean()).map(([text, capital]) => (capital ? (`0x${text.slice(2).toUpperCase()}` as Hex) : text));

/** As a node answers it; few values, so that neighbours share some. */
const answered = fc.record({
  address: mixed(fc.constantFrom<Hex>(`0x${'a1'.repeat(20)}`, `0x${'b2'.repeat(20)}`)),
  topics: fc.array(mixed(fc.oneof(hexOf(32), fc.constant<Hex>(`0x${'cd'.repeat(32)}`))), { maxLength: 4 }),
  data: fc.integer({ min: 0, max: 100 }).chain((length) => mixed(hexOf(length))),
  blockHash: mixed(fc.constantFrom<Hex>(`0x${'ef'.repeat(32)}`, `0x${'01'.repeat(32)}`)),
  blockNumber: fc.integer({ min: 0, max: 5 }).map((number) => `0x${number.toString(16)}` as Hex),
  transactionHash: mixed(fc.constantFrom<Hex>(`0x${'77'.repeat(32)}`, `0x${'8f'.repeat(32)}`)),
  transactionIndex: fc.constant<Hex>('0x0'),
  removed: fc.constant(false),
});
const history = fc
  .array(answered, { maxLength: 30 })
  .map((logs) => logs.map((log, index) => ({ ...log, logIndex: `0x${index.toString(16)}` as Hex })))
  .chain((logs) => fc.shuffledSubarray(logs, { minLength: logs.length }));

describe('logs as a node answers them', () => {
  it('say what viem reads in them, in order and in lowercase', () => {
    fc.assert(
      fc.property(history, (logs) => {
        const theirs = logs
          .map((log) => formatLog(log as unknown as RpcLog))
          .sort((a, b) => Number(a.blockNumber! - b.blockNumber!) || a.logIndex! - b.logIndex!)
          .map(({ address, topics, data, blockNumber, blockHash, logIndex, transactionHash }) => ({
            ...{ address: lower(address), topics: (topics as Hex[]).map(lower), data: lower(data), blockNumber: Number(blockNumber) },
            ...{ blockHash: lower(blockHash!), logIndex, transactionHash: lower(transactionHash!) },
          }));
        expect(parseLogs(logs)).toEqual(theirs);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('are refused when anything in one of them is of another shape', () => {
    const wrong = fc.constantFrom<unknown>(
      null,
      undefined,
      7,
      '',
      '0x',
      '0xzz',
      `0x${'g'.repeat(64)}`,
      `${'0'.repeat(66)}`,
      {},
      '0x0ü',
      `0x${'1'.repeat(65)}`,
    );
    const field = fc.constantFrom('address', 'blockHash', 'blockNumber', 'transactionHash', 'logIndex', 'data', 'topics');
    fc.assert(
      fc.property(fc.array(answered, { minLength: 1, maxLength: 4 }), fc.nat(), field, wrong, (logs, at, name, value) => {
        if (name === 'data' && value === '0x') return;
        const numbered = logs.map((log, index) => ({ ...log, logIndex: `0x${index}` }));
        const place = at % logs.length;
        const spoilt = numbered.map((log, index) => (index === place ? { ...log, [name]: name === 'topics' ? [value] : value } : log));
        expect(() => parseLogs(spoilt)).toThrow(ShapeError);
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  it('are refused when one of them is told twice', () => {
    const [log] = fc.sample(answered, { seed: 3, numRuns: 1 });
    const twice = [0, 1, 0].map((index) => ({ ...log, blockNumber: '0x1', logIndex: `0x${index}` }));
    expect(() => parseLogs(twice)).toThrow('the same log twice');
  });
});

/** What a history is full of. */
const HOT = [
  'event Transfer(address indexed from, address indexed to, uint256 value)',
  'event Borrow(address indexed reserve, address user, address indexed onBehalfOf, uint256 amount, uint8 interestRateMode, uint256 borrowRate, uint16 indexed referralCode)',
  'event Mint(address indexed caller, address indexed onBehalfOf, uint256 value, uint256 balanceIncrease, uint256 index)',
  'event BalanceTransfer(address indexed from, address indexed to, uint256 value, uint256 index)',
  'event ReserveDataUpdated(address indexed reserve, uint256 liquidityRate, uint256 stableBorrowRate, uint256 variableBorrowRate, uint256 liquidityIndex, uint256 variableBorrowIndex)',
  'event Withdraw(bytes32 indexed id, address caller, address indexed onBehalf, address indexed receiver, uint256 assets, uint256 shares)',
  'event AbsorbDebt(address indexed absorber, address indexed borrower, uint256 basePaidOut, uint256 usdValue)',
  'event RepayBorrow(address payer, address borrower, uint256 repayAmount, uint256 accountBorrows, uint256 totalBorrows)',
  'event PositionChanged(address indexed trader, address indexed baseToken, int256 exchangedPositionSize, int256 exchangedPositionNotional, uint256 fee, int256 openNotional, int256 realizedPnl, uint256 sqrtPriceAfterX96)',
].map((signature) => parseAbiItem(signature) as AbiEvent);

function drawn(type: string): fc.Arbitrary<unknown> {
  if (type === 'address') return hexOf(20);
  if (type === 'bytes32') return hexOf(32);
  const bits = Number(/\d+/.exec(type)![0]);
  const value = type.startsWith('u')
    ? fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n })
    : fc.bigInt({ min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n });
  return bits <= 48 ? value.map(Number) : value;
}

describe('the words of hot events', () => {
  it.each(HOT.map((event) => [event.name, event] as const))('%s: what viem decodes, or nothing where viem does not', (_, event) => {
    const { inputs } = event;
    fc.assert(
      fc.property(fc.tuple(...inputs.map(({ type }) => drawn(type))), fc.nat({ max: 300 }), (values, cut) => {
        const indexed = Object.fromEntries(inputs.flatMap(({ indexed, name }, place) => (indexed ? [[name, values[place]]] : [])));
        const plain = inputs.flatMap((input, place) => (input.indexed ? [] : [{ input, value: values[place] }]));
        const topics = encodeEventTopics({ abi: [event], args: indexed } as never) as Hex[];
        const whole = encodeAbiParameters(
          plain.map(({ input }) => input),
          plain.map(({ value }) => value),
        );
        const log = {
          address: `0x${'a1'.repeat(20)}`,
          topics,
          data: whole,
          blockNumber: 1,
          blockHash: whole,
          logIndex: 0,
          transactionHash: whole,
        } as RawLog;
        expect(ourArgs(event, log)).toEqual(args(event, topics, whole));
        const short = { ...log, data: whole.slice(0, Math.max(2, whole.length - 2 * cut)) as Hex };
        if (cut > 0 && plain.length > 0) {
          expect(() => decodeEventLog({ abi: [event], topics: topics as [Hex], data: short.data })).toThrow();
          expect(() => ourArgs(event, short)).toThrow(RangeError);
        }
        if (topics.length > 1) expect(() => ourArgs(event, { ...log, topics: topics.slice(0, -1) })).toThrow(RangeError);
      }),
      { seed: 4, numRuns: 60 },
    );
  });
});

function args(event: AbiEvent, topics: readonly Hex[], data: Hex): readonly unknown[] {
  const { args: named } = decodeEventLog({ abi: [event], topics: topics as [Hex], data }) as { args: Record<string, unknown> };
  return event.inputs.map(({ name }) => (typeof named[name!] === 'string' ? lower(named[name!] as Hex) : BigInt(named[name!] as bigint)));
}

/** Read as the folds read them. */
function ourArgs({ inputs }: AbiEvent, log: RawLog): readonly unknown[] {
  let topic = 0;
  let word = 0;
  return inputs.map(({ type, indexed }) => {
    if (indexed && type === 'address') return topicAddress(log, ++topic);
    const text = indexed ? log.topics[++topic] : undefined;
    if (indexed && text === undefined) throw new RangeError('no topic');
    if (type === 'bytes32') return text;
    const value = text === undefined ? dataWord(log, word++) : BigInt(text);
    if (type === 'address') return toAddress(value);
    return type.startsWith('int') ? BigInt.asIntN(256, value) : value;
  });
}

function lower<T extends Hex | Address>(text: T): T {
  return text.toLowerCase() as T;
}
