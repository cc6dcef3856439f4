/**
 * A liquidator that the keeper has to race: it asks the pool's views about every borrower it has seen in the logs, chooses by trial as the
 * lens does, and sends public transactions with tips that its seed decides. It overlooks some positions, and looks at few in a block.
 */
import { type Address, decodeFunctionResult, encodeFunctionData, type Hex, numberToHex, parseAbi, toEventSelector } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { lensAbi, TRANSACTION_GAS } from '../lens/contract.ts';
import { Prng } from '../prng.ts';
import { rpc } from '../rpc.ts';

const WAD = 10n ** 18n;
const BORROW = toEventSelector(
  'Borrow(address indexed reserve, address user, address indexed onBehalfOf, uint256 amount, uint8 interestRateMode, uint256 borrowRate, uint16 indexed referralCode)',
);
/** `bestOf` carries out hundreds of liquidations in a call. */
const CALL_GAS = numberToHex(10_000_000_000n);
const GAS_LIMIT = 2_500_000n;
const ACCOUNTS_A_CALL = 200;
const SEED_STRIDE = 1_000_003;

/** Its habits. */
const LOOKS_AT = 6;
const OVERLOOKS = 0.35;
const TIP_GWEI = [0.05, 6] as const;
/** Blocks after which it tries an account again. */
const PATIENCE = 4;

const gwei = (amount: number) => BigInt(Math.round(amount * 1e9));
const providerAbi = parseAbi(['function getPool() view returns (address)']);

export type Sent = { account: Address; debt: Address; collateral: Address; hash: Hex; tipWei: bigint; expectedWei: bigint };

export type RivalSetup = {
  rpcUrl: string;
  chainId: number;
  account: PrivateKeyAccount;
  /** A deployed LensLiquidator. */
  liquidator: Address;
  pool: Address;
  fromBlock: number;
  seed: number;
};

export async function poolOf(rpcUrl: string, poolAddressesProvider: Address): Promise<Address> {
  const data = encodeFunctionData({ abi: providerAbi, functionName: 'getPool' });
  const answer = await rpc<Hex>(rpcUrl, 'eth_call', [{ to: poolAddressesProvider, data }, 'latest']);
  return decodeFunctionResult({ abi: providerAbi, functionName: 'getPool', data: answer });
}

export class Rival {
  readonly #setup: RivalSetup;
  readonly #borrowers = new Set<Address>();
  readonly #triedAt = new Map<Address, number>();
  #scannedTo: number;

  constructor(setup: RivalSetup) {
    this.#setup = setup;
    this.#scannedTo = setup.fromBlock - 1;
  }

  /** To be called for each new block; returns what was sent for it. */
  async onBlock(blockNumber: number): Promise<Sent[]> {
    const { rpcUrl, account, seed } = this.#setup;
    await this.#meetBorrowers(blockNumber);
    const random = new Prng(seed * SEED_STRIDE + blockNumber);
    const open = (await this.#liquidatable()).filter((borrower) => blockNumber - (this.#triedAt.get(borrower) ?? -PATIENCE) >= PATIENCE);
    const chosen = open.filter(() => random.next() >= OVERLOOKS).slice(0, LOOKS_AT);
    if (chosen.length === 0) return [];
    const block = await rpc<{ baseFeePerGas: Hex }>(rpcUrl, 'eth_getBlockByNumber', ['latest', false]);
    const baseFeeWei = BigInt(block.baseFeePerGas);
    let nonce = Number(await rpc<Hex>(rpcUrl, 'eth_getTransactionCount', [account.address, 'pending']));
    const sent: Sent[] = [];
    for (const borrower of chosen) {
      this.#triedAt.set(borrower, blockNumber);
      const tipWei = gwei(random.logBetween(...TIP_GWEI));
      const one = await this.#try(borrower, nonce, baseFeeWei, tipWei);
      if (!one) continue;
      sent.push(one);
      nonce += 1;
    }
    return sent;
  }

  async #meetBorrowers(blockNumber: number): Promise<void> {
    const { rpcUrl, pool } = this.#setup;
    if (blockNumber <= this.#scannedTo) return;
    const filter = { address: pool, topics: [BORROW], fromBlock: numberToHex(this.#scannedTo + 1), toBlock: numberToHex(blockNumber) };
    for (const { topics } of await rpc<{ topics: Hex[] }[]>(rpcUrl, 'eth_getLogs', [filter])) {
      this.#borrowers.add(`0x${topics[2]!.slice(26)}`);
    }
    this.#scannedTo = blockNumber;
  }

  async #liquidatable(): Promise<Address[]> {
    const accounts = [...this.#borrowers];
    const found: Address[] = [];
    for (let from = 0; from < accounts.length; from += ACCOUNTS_A_CALL) {
      const asked = accounts.slice(from, from + ACCOUNTS_A_CALL);
      const data = encodeFunctionData({ abi: lensAbi, functionName: 'healthFactors', args: [asked] });
      const factors = decodeFunctionResult({ abi: lensAbi, functionName: 'healthFactors', data: await this.#call(data) });
      found.push(...asked.filter((_, index) => factors[index]! < WAD));
    }
    return found;
  }

  async #try(borrower: Address, nonce: number, baseFeeWei: bigint, tipWei: bigint): Promise<Sent | undefined> {
    const { rpcUrl, account, chainId, liquidator } = this.#setup;
    const price = baseFeeWei + tipWei;
    const ask = encodeFunctionData({ abi: lensAbi, functionName: 'bestOf', args: [borrower, price, TRANSACTION_GAS] });
    const best = decodeFunctionResult({ abi: lensAbi, functionName: 'bestOf', data: await this.#call(ask) });
    if (best.netWei === 0n) return undefined;
    const { debt, collateral, amount, route } = best;
    const plan = { account: borrower, debt, collateral, amount, route };
    const raw = await account.signTransaction({
      ...{ type: 'eip1559', chainId, nonce, to: liquidator, gas: GAS_LIMIT },
      ...{ maxPriorityFeePerGas: tipWei, maxFeePerGas: 2n * baseFeeWei + tipWei },
      data: encodeFunctionData({ abi: lensAbi, functionName: 'liquidate', args: [plan, best.gas * price] }),
    });
    const hash = await rpc<Hex>(rpcUrl, 'eth_sendRawTransaction', [raw]);
    return { account: borrower, debt, collateral, hash, tipWei, expectedWei: best.netWei };
  }

  #call(data: Hex): Promise<Hex> {
    const { rpcUrl, account, liquidator } = this.#setup;
    return rpc<Hex>(rpcUrl, 'eth_call', [{ from: account.address, to: liquidator, data, gas: CALL_GAS }, 'latest']);
  }
}
