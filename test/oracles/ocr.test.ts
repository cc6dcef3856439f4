/** Transmissions as calldata: what nodes send is read exactly, and nothing else is read at all. */
import fc from 'fast-check';
import { concat, encodeAbiParameters, encodeFunctionData, type Hex, keccak256, numberToHex, pad, parseAbi } from 'viem';
import { privateKeyToAddress, sign } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import type { Address } from '../../src/lib/types.ts';
import { decodeTransmission, type Transmission } from '../../src/oracles/ocr.ts';
import { isGenuine } from '../../src/oracles/ocr-signatures.ts';

const abi1 = parseAbi(['function transmit(bytes report, bytes32[] rs, bytes32[] ss, bytes32 rawVs)']);
const abi2 = parseAbi([
  'function transmit(bytes32[3] reportContext, bytes report, bytes32[] rs, bytes32[] ss, bytes32 rawVs)',
  'function transmitSecondary(bytes32[3] reportContext, bytes report, bytes32[] rs, bytes32[] ss, bytes32 rawVs)',
]);
const forwarderAbi = parseAbi(['function forward(address to, bytes data)']);

const aggregator: Address = `0x${'a9'.repeat(20)}`;
const forwarder: Address = `0x${'f0'.repeat(20)}`;
const word = (value: bigint) => numberToHex(value, { size: 32 });

type Parts = {
  digest: Hex;
  epochAndRound: number;
  time: number;
  observations: bigint[];
  signatures: { r: Hex; s: Hex; v: number }[];
};

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes): Hex => `0x${Buffer.from(bytes).toString('hex')}`);
const int192 = fc.bigInt({ min: -(2n ** 191n), max: 2n ** 191n - 1n });
const parts: fc.Arbitrary<Parts> = fc.record({
  digest: bytes32,
  epochAndRound: fc.integer({ min: 0, max: 2 ** 40 - 1 }),
  time: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  observations: fc.array(int192, { minLength: 1, maxLength: 31 }),
  signatures: fc.array(fc.record({ r: bytes32, s: bytes32, v: fc.integer({ min: 0, max: 1 }) }), { minLength: 1, maxLength: 31 }),
});

function report1({ digest, epochAndRound, observations }: Parts): Hex {
  const context = concat([`0x${'00'.repeat(11)}`, `0x${digest.slice(2, 34)}`, numberToHex(epochAndRound, { size: 5 })]);
  return encodeAbiParameters([{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'int192[]' }], [context, word(0n), observations]);
}

function report2({ time, observations }: Parts): Hex {
  const types = [{ type: 'uint32' }, { type: 'bytes32' }, { type: 'int192[]' }, { type: 'int192' }] as const;
  return encodeAbiParameters(types, [time, word(1n), observations, -5n]);
}

const signaturesOf = ({ signatures }: Parts) =>
  [
    signatures.map(({ r }) => r),
    signatures.map(({ s }) => s),
    pad(concat(signatures.map(({ v }) => numberToHex(v, { size: 1 }))), { dir: 'right', size: 32 }),
  ] as const;

const context2 = ({ digest, epochAndRound }: Parts) => [digest, word(BigInt(epochAndRound)), word(7n)] as const;

const encode1 = (of: Parts) => encodeFunctionData({ abi: abi1, args: [report1(of), ...signaturesOf(of)] });
const encode2 = (of: Parts, functionName: 'transmit' | 'transmitSecondary') =>
  encodeFunctionData({ abi: abi2, functionName, args: [context2(of), report2(of), ...signaturesOf(of)] });
const forward = (to: Address, data: Hex) => encodeFunctionData({ abi: forwarderAbi, args: [to, data] });

describe('a transmission', () => {
  const expected = ({ observations, epochAndRound, signatures }: Parts) => ({
    observations,
    epochAndRound,
    median: observations[Math.floor(observations.length / 2)],
    signed: { rs: signatures.map(({ r }) => r), ss: signatures.map(({ s }) => s), vs: signatures.map(({ v }) => v) },
  });

  it('of OCR1 is read whole', () => {
    fc.assert(
      fc.property(parts, (of) => {
        const configDigest = of.digest.slice(0, 34).padEnd(66, '0');
        const read = decodeTransmission(aggregator, encode1(of));
        expect(read).toMatchObject({ ...expected(of), ocr: 1, secondary: false, aggregator, configDigest });
        expect(read).toMatchObject({ forwarder: undefined, observationsTimestamp: undefined });
      }),
      { seed: 1 },
    );
  });

  it('of OCR2 is read whole, on either path, through a forwarder or without', () => {
    fc.assert(
      fc.property(parts, fc.boolean(), fc.boolean(), (of, secondary, forwarded) => {
        const call = encode2(of, secondary ? 'transmitSecondary' : 'transmit');
        const read = forwarded ? decodeTransmission(forwarder, forward(aggregator, call)) : decodeTransmission(aggregator, call);
        expect(read).toMatchObject({ ...expected(of), ocr: 2, secondary, aggregator, configDigest: of.digest });
        expect(read).toMatchObject({ forwarder: forwarded ? forwarder : undefined, observationsTimestamp: of.time });
      }),
      { seed: 2 },
    );
  });

  it('is the same in upper case', () => {
    const [of] = fc.sample(parts, { numRuns: 1, seed: 3 });
    const call = encode2(of!, 'transmit');
    expect(decodeTransmission(aggregator, `0x${call.slice(2).toUpperCase()}`)).toEqual(decodeTransmission(aggregator, call));
  });
});

describe('calldata that no node sends', () => {
  const genuine = fc.tuple(parts, fc.constantFrom(0, 1, 2, 3)).map(([of, kind]): Hex => {
    if (kind === 0) return encode1(of);
    if (kind === 1) return encode2(of, 'transmit');
    return forward(aggregator, kind === 2 ? encode1(of) : encode2(of, 'transmitSecondary'));
  });

  it('is not read when it is cut off or has something behind', () => {
    fc.assert(
      fc.property(genuine, fc.integer({ min: 1, max: 5_000 }), fc.boolean(), (data, digits, longer) => {
        const changed = longer ? (`${data}${'0'.repeat(digits)}` as Hex) : (data.slice(0, Math.max(2, data.length - digits)) as Hex);
        expect(decodeTransmission(aggregator, changed)).toBeUndefined();
      }),
      { seed: 4 },
    );
  });

  it('never throws, whatever words are changed in it', () => {
    const hostile = fc.constantFrom(0n, 1n, 31n, 32n, 33n, 64n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 64n, 2n ** 255n, 2n ** 256n - 1n);
    const change = fc.tuple(fc.nat(120), fc.oneof(hostile, fc.bigInt({ min: 0n, max: 2n ** 256n - 1n })));
    fc.assert(
      fc.property(genuine, fc.array(change, { minLength: 1, maxLength: 4 }), (data, changes) => {
        let words = data.slice(10);
        for (const [place, value] of changes) {
          const at = (place % Math.floor(words.length / 64)) * 64;
          words = words.slice(0, at) + word(value).slice(2) + words.slice(at + 64);
        }
        const read = decodeTransmission(aggregator, `${data.slice(0, 10)}${words}` as Hex);
        if (read !== undefined) expect(read.observations.length).toBeLessThanOrEqual(31);
      }),
      { seed: 5, numRuns: 1_000 },
    );
  });

  it('never throws on anything at all', () => {
    const selectors = fc.constantFrom('6fadcf72', 'c9807539', 'b1dc65a4', 'ba0cb29e', '');
    const text = fc.oneof(
      fc.string(),
      fc.uint8Array({ maxLength: 4_000 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    );
    fc.assert(
      fc.property(selectors, text, (selector, rest) => {
        expect(decodeTransmission(aggregator, `0x${selector}${rest}`)).toBeUndefined();
      }),
      { seed: 6, numRuns: 1_000 },
    );
  });

  it('is not read when it forwards to a forwarder, or is larger than any transmission', () => {
    const [of] = fc.sample(parts, { numRuns: 1, seed: 7 });
    expect(decodeTransmission(forwarder, forward(forwarder, forward(aggregator, encode1(of!))))).toBeUndefined();
    expect(decodeTransmission(forwarder, `0x6fadcf72${'0'.repeat(10_000_000)}`)).toBeUndefined();
  });
});

describe('signatures', () => {
  const keys = ['11', '22', '33', '44'].map((byte): Hex => `0x${byte.repeat(32)}`);
  const stranger: Hex = `0x${'55'.repeat(32)}`;
  const set = { signers: new Set(keys.map((key) => privateKeyToAddress(key).toLowerCase() as Address)), f: 1 };
  const plain: Parts = { digest: word(9n), epochAndRound: 300, time: 5, observations: [1n, 2n, 3n], signatures: [] };

  async function signed(ocr: 1 | 2, signers: readonly Hex[]): Promise<Transmission> {
    const hash = ocr === 1 ? keccak256(report1(plain)) : keccak256(concat([keccak256(report2(plain)), ...context2(plain)]));
    const signatures = await Promise.all(signers.map((privateKey) => sign({ hash, privateKey })));
    const of = { ...plain, signatures: signatures.map(({ r, s, yParity }) => ({ r, s, v: yParity! })) };
    return decodeTransmission(aggregator, ocr === 1 ? encode1(of) : encode2(of, 'transmit'))!;
  }
  const verdict = async (ocr: 1 | 2, signers: readonly Hex[]) => isGenuine(ocr, (await signed(ocr, signers)).signed, set);

  it.each([1, 2] as const)('of enough oracles make a report of OCR%i genuine', async (ocr) => {
    expect(await verdict(ocr, keys.slice(1, 3))).toBe(true);
  });

  it.each([1, 2] as const)('of a stranger, of one oracle twice or of too few do not (OCR%i)', async (ocr) => {
    expect(await verdict(ocr, [keys[0]!, stranger])).toBe(false);
    expect(await verdict(ocr, [keys[0]!, keys[0]!])).toBe(false);
    expect(await verdict(ocr, [keys[0]!])).toBe(false);
  });

  it('under another report do not', async () => {
    const genuine = await signed(2, keys.slice(0, 2));
    const other = { ...genuine.signed, report: report2({ ...plain, observations: [1n, 9n, 10n] }) };
    expect(isGenuine(2, other, set)).toBe(false);
  });
});
