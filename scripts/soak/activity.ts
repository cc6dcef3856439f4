/** What people do to a market while it is watched: they supply, withdraw, borrow and repay, and prices wander around where they began. Much of it reverts, as it should. */
import { type Address, encodeFunctionData, type Hex, parseAbi } from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import { poolAbi } from '../devnet/aave/positions.ts';
import { amountOf, assetOf, START_PRICES_USD8 } from '../devnet/assets.ts';
import type { Borrower } from '../devnet/borrowers/open.ts';
import type { Devnet } from '../devnet/devnet.ts';
import { transmit } from '../devnet/oracle/transmit.ts';
import type { Prng } from '../devnet/prng.ts';
import { rpc } from '../devnet/rpc.ts';
import { erc20Abi } from '../devnet/tokens.ts';

const MOVING = ['ETH / USD', 'BTC / USD', 'LINK / USD'] as const;
/** In a block a price moves with this chance, up or down by as much at the most, and goes back this part of its way from where it began. */
const MOVE_SHARE = 0.35;
const MOST_MOVE = 0.025;
const RETURN = 0.03;
const MOST_ACTS = 3;
const RATE_MODE = 2n;
const GAS = 700_000n;
const TIP_WEI = 100_000_000n;
const MAX_UINT256 = 2n ** 256n - 1n;

const wethAbi = parseAbi(['function deposit() payable']);
const moreAbi = parseAbi([
  'function withdraw(address asset, uint256 amount, address to)',
  'function repay(address asset, uint256 amount, uint256 interestRateMode, address onBehalfOf)',
]);

type Call = { readonly to: Address; readonly data: Hex; readonly value?: bigint };

export class Activity {
  readonly #devnet: Devnet;
  readonly #random: Prng;
  readonly #prices = new Map(Object.entries(START_PRICES_USD8));
  /** Transactions handed in so far. */
  sent = 0;

  constructor(devnet: Devnet, random: Prng) {
    this.#devnet = devnet;
    this.#random = random;
  }

  /** Hands in what the next block takes. */
  async act(): Promise<void> {
    for (const feed of MOVING) if (this.#random.next() < MOVE_SHARE) await this.#move(feed);
    for (let acts = Math.floor(this.#random.between(0, MOST_ACTS + 1)); acts > 0; acts--)
      await this.#send(this.#random.pick(this.#devnet.market.borrowers));
  }

  async #move(feed: (typeof MOVING)[number]): Promise<void> {
    const began = Number(START_PRICES_USD8[feed]);
    const before = Number(this.#prices.get(feed));
    const part = this.#random.between(-MOST_MOVE, MOST_MOVE) + RETURN * (began / before - 1);
    const answer = BigInt(Math.round(before * (1 + part)));
    this.#prices.set(feed, answer);
    await transmit(this.#devnet.rpcUrl, this.#devnet.market.feeds[feed]!, answer);
    this.sent++;
  }

  async #send(borrower: Borrower): Promise<void> {
    const account = privateKeyToAccount(borrower.privateKey);
    const kind = this.#random.pick([this.#supply, this.#withdraw, this.#borrow, this.#borrow, this.#repay]);
    const calls = kind.call(this, borrower);
    const { rpcUrl } = this.#devnet;
    // Asked for anew each time: a reorganisation may have taken some back.
    const nonce = Number(await rpc<Hex>(rpcUrl, 'eth_getTransactionCount', [account.address, 'pending']));
    const { baseFeePerGas } = await rpc<{ baseFeePerGas: Hex }>(rpcUrl, 'eth_getBlockByNumber', ['latest', false]);
    const fees = { maxPriorityFeePerGas: TIP_WEI, maxFeePerGas: 2n * BigInt(baseFeePerGas) + TIP_WEI };
    for (const [place, call] of calls.entries()) {
      const raw = await this.#signed(account, { ...call, ...fees, nonce: nonce + place });
      await rpc(rpcUrl, 'eth_sendRawTransaction', [raw]);
      this.sent++;
    }
  }

  #signed(account: PrivateKeyAccount, transaction: Call & { nonce: number; maxFeePerGas: bigint; maxPriorityFeePerGas: bigint }) {
    return account.signTransaction({ type: 'eip1559', chainId: this.#devnet.deployments.chainId, gas: GAS, ...transaction });
  }

  #supply({ address }: Borrower): Call[] {
    const { token, amount } = this.#some('WETH');
    return [
      { to: token, data: encodeFunctionData({ abi: wethAbi, functionName: 'deposit' }), value: amount },
      this.#approve(token),
      this.#pool(encodeFunctionData({ abi: poolAbi, functionName: 'supply', args: [token, amount, address, 0] })),
    ];
  }

  #withdraw({ address, collateral }: Borrower): Call[] {
    const { token, amount } = this.#some(this.#random.pick(collateral).symbol);
    return [this.#pool(encodeFunctionData({ abi: moreAbi, functionName: 'withdraw', args: [token, amount, address] }))];
  }

  #borrow({ address, debt }: Borrower): Call[] {
    const { token, amount } = this.#some(this.#random.pick(debt).symbol);
    return [this.#pool(encodeFunctionData({ abi: poolAbi, functionName: 'borrow', args: [token, amount, RATE_MODE, 0, address] }))];
  }

  #repay({ address, debt }: Borrower): Call[] {
    const { token, amount } = this.#some(this.#random.pick(debt).symbol);
    const args = [token, amount, RATE_MODE, address] as const;
    return [this.#approve(token), this.#pool(encodeFunctionData({ abi: moreAbi, functionName: 'repay', args }))];
  }

  #some(symbol: string): { readonly token: Address; readonly amount: bigint } {
    return { token: this.#devnet.market.tokens[symbol]!, amount: amountOf(assetOf(symbol), this.#random.logBetween(10, 20_000)) };
  }

  #approve(token: Address): Call {
    return {
      to: token,
      data: encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [this.#devnet.market.aave.pool, MAX_UINT256] }),
    };
  }

  #pool(data: Hex): Call {
    return { to: this.#devnet.market.aave.pool, data };
  }
}
