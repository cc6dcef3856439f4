/** A chain of its own with the real Uniswap v3 and plain tokens, for tests that make pools as they like. */
import { type Abi, type Address, decodeFunctionResult, encodeFunctionData, type Hex, parseAbi } from 'viem';
import { startAnvil } from '../../scripts/devnet/anvil.ts';
import { type Call, SetupChain } from '../../scripts/devnet/chain.ts';
import { type Artifact, compileUnit } from '../../scripts/devnet/compile.ts';
import { devAccount } from '../../scripts/devnet/keys.ts';
import { RpcError, rpc } from '../../scripts/devnet/rpc.ts';
import { type UniswapArtifacts, uniswapContracts } from '../../scripts/devnet/uniswap/contracts.ts';
import { mapBounded } from '../../src/lib/async.ts';

export const poolViews = parseAbi([
  'function slot0() view returns (uint160 sqrtPriceX96, int24 tick, uint16, uint16, uint16, uint8, bool)',
  'function liquidity() view returns (uint128)',
  'function ticks(int24) view returns (uint128 gross, int128 net, uint256, uint256, int56, uint160, uint32, bool)',
  'function initialize(uint160 sqrtPriceX96)',
  'function setFeeProtocol(uint8 feeProtocol0, uint8 feeProtocol1)',
  'function collectProtocol(address recipient, uint128 amount0, uint128 amount1) returns (uint128, uint128)',
]);
const actorAbi = parseAbi([
  'function mint(address pool, int24 lower, int24 upper, uint128 liquidity)',
  'function burn(address pool, int24 lower, int24 upper, uint128 liquidity)',
  'function collect(address pool, int24 lower, int24 upper)',
  'function swap(address pool, bool zeroForOne, int256 amount)',
  'function flash(address pool, uint256 amount0, uint256 amount1)',
]);
type ActorFunction = (typeof actorAbi)[number]['name'];
const tokenAbi = parseAbi(['function mint(address to, uint256 amount)', 'function balanceOf(address) view returns (uint256)']);

/** What the actor has of each token: more than any test spends. */
const ACTOR_FUNDS = 2n ** 200n;
/** A swap may cross many ticks; the rest is cheap, and many fit into a block. */
const SWAP_GAS = 12_000_000n;
const OTHER_GAS = 800_000n;
export const SPACING: Readonly<Record<number, number>> = { 100: 1, 500: 10, 3000: 60, 10000: 200 };

export type Quote = {
  readonly fn: 'quoteExactInputSingle' | 'quoteExactOutputSingle';
  readonly tokenIn: Address;
  readonly tokenOut: Address;
  readonly amount: bigint;
  readonly fee: number;
};

export type Quoted = { readonly amount: bigint; readonly sqrtPriceAfter: bigint; readonly crossed: number };

export class UniswapWorld {
  readonly chain: SetupChain;
  readonly contracts: UniswapArtifacts;
  readonly own: Record<string, Artifact>;
  readonly factory: Address;
  readonly quoter: Address;
  readonly actor: Address;
  readonly stop: () => Promise<void>;

  private constructor(chain: SetupChain, contracts: UniswapArtifacts, own: Record<string, Artifact>, stop: () => Promise<void>) {
    this.chain = chain;
    this.contracts = contracts;
    this.own = own;
    this.stop = stop;
    this.factory = lower(chain.deploy('factory', contracts.UniswapV3Factory));
    // The quoter never unwraps anything, so it needs no wrapped native token.
    this.quoter = lower(chain.deploy('quoter', contracts.QuoterV2, [this.factory, this.factory]));
    this.actor = lower(chain.deploy('actor', own['PoolActor']!));
    chain.call(this.factory, contracts.UniswapV3Factory.abi, 'enableFeeAmount', [100, 1]);
  }

  static async start(): Promise<UniswapWorld> {
    const anvil = await startAnvil();
    try {
      const own = await compileUnit({
        name: 'test contracts',
        solc: 'solc-0.8.27',
        entries: ['test/support/contracts/PoolActor.sol', 'scripts/devnet/contracts/DevToken.sol'],
        settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
      });
      const chain = new SetupChain(anvil.rpcUrl, devAccount('deployer'));
      await chain.prepare();
      const world = new UniswapWorld(chain, await uniswapContracts(), own, anvil.stop);
      await chain.mine();
      return world;
    } catch (error) {
      await anvil.stop();
      throw error;
    }
  }

  get rpcUrl(): string {
    return this.chain.rpcUrl;
  }

  /** New tokens, ascending by address, the actor rich in each. */
  async tokens(count: number): Promise<Address[]> {
    const tokens = Array.from({ length: count }, (_, index) =>
      lower(this.chain.deploy(`T${index}`, this.own['DevToken']!, [`T${index}`, `T${index}`, 18])),
    );
    for (const token of tokens) this.chain.call(token, tokenAbi, 'mint', [this.actor, ACTOR_FUNDS]);
    await this.chain.mine();
    return tokens.sort();
  }

  /** Creates and initialises a pool. */
  async pool(token0: Address, token1: Address, fee: number, sqrtPriceX96: bigint): Promise<Address> {
    this.chain.call(this.factory, this.contracts.UniswapV3Factory.abi, 'createPool', [token0, token1, fee]);
    await this.chain.mine();
    const pool = lower(await this.chain.read<Address>(this.factory, this.contracts.UniswapV3Factory.abi, 'getPool', [token0, token1, fee]));
    this.chain.call(pool, poolViews, 'initialize', [sqrtPriceX96]);
    await this.chain.mine();
    return pool;
  }

  /** Queues something that the actor does; `chain.mine` performs it. */
  act(functionName: ActorFunction, args: readonly unknown[]): void {
    const data = encodeFunctionData({ abi: actorAbi as Abi, functionName, args });
    const call: Call = { to: this.actor, data, gas: functionName === 'swap' ? SWAP_GAS : OTHER_GAS, label: functionName };
    this.chain.send(this.chain.deployer, call);
  }

  /** What the real quoter says of the other amount, or undefined when it reverts: an exact output that the pool does not have. */
  async quotes(quotes: readonly Quote[]): Promise<(Quoted | undefined)[]> {
    const { abi } = this.contracts.QuoterV2;
    const calls = quotes.map(({ fn, tokenIn, tokenOut, amount, fee }) => {
      const args = fn === 'quoteExactInputSingle' ? { tokenIn, tokenOut, amountIn: amount, fee } : { tokenIn, tokenOut, amount, fee };
      return encodeFunctionData({ abi, functionName: fn, args: [{ ...args, sqrtPriceLimitX96: 0n }] });
    });
    const answers = await mapBounded(calls, 8, (data) =>
      rpc<Hex>(this.rpcUrl, 'eth_call', [{ to: this.quoter, data }, 'latest']).catch(revertOnly),
    );
    return answers.map((data, index) => {
      if (data === undefined) return undefined;
      const [amount, sqrtPriceAfter, crossed] = decodeFunctionResult({ abi, functionName: quotes[index]!.fn, data }) as [
        bigint,
        bigint,
        number,
      ];
      return { amount, sqrtPriceAfter, crossed };
    });
  }

  /** Remembers the chain; what is returned puts it back. */
  async snapshot(): Promise<() => Promise<void>> {
    const id = await rpc<Hex>(this.rpcUrl, 'evm_snapshot');
    return async () => {
      await rpc(this.rpcUrl, 'evm_revert', [id]);
      // Takes note of the nonce again.
      await this.chain.fund([this.chain.deployer.address], 10n ** 26n);
    };
  }

  balanceOf(token: Address, holder: Address): Promise<bigint> {
    return this.chain.read<bigint>(token, tokenAbi, 'balanceOf', [holder]);
  }
}

/** Contracts' addresses as the keeper writes them. */
export function lower(address: Address): Address {
  return address.toLowerCase() as Address;
}

function revertOnly(error: unknown): undefined {
  if (error instanceof RpcError && /revert|Unexpected error|SPL/i.test(error.message)) return undefined;
  throw error;
}
