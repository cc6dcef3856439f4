/** The real Uniswap v2 factory beside a Uniswap world, and pairs of it with reserves as a test wants them. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Abi, type Address, type Hex, parseAbi } from 'viem';
import { lower, type UniswapWorld } from './uniswap.ts';

const tokenAbi = parseAbi(['function mint(address to, uint256 amount)']);
export const pairAbi = parseAbi([
  'function mint(address to) returns (uint256)',
  'function getReserves() view returns (uint112, uint112, uint32)',
]);

export type NewPair = { readonly one: Address; readonly other: Address; readonly oneRaw: bigint; readonly otherRaw: bigint };

export class UniswapV2On {
  readonly factory: Address;
  readonly #abi: Abi;
  readonly #world: UniswapWorld;

  /** Queues the factory's creation; the deployer sets its fee. */
  constructor(world: UniswapWorld) {
    const path = createRequire(import.meta.url).resolve('@uniswap/v2-core/build/UniswapV2Factory.json');
    const { abi, bytecode } = JSON.parse(readFileSync(path, 'utf8')) as { abi: Abi; bytecode: string };
    const artifact = { abi, bytecode: `0x${bytecode}` as Hex, linkReferences: {} };
    this.#abi = abi;
    this.#world = world;
    this.factory = lower(world.chain.deploy('v2 factory', artifact, [world.chain.deployer.address]));
  }

  /** From then on a part of each pair's growth is the protocol's. Mined on return. */
  async takeProtocolFee(): Promise<void> {
    this.#world.chain.call(this.factory, this.#abi, 'setFeeTo', [this.#world.chain.deployer.address]);
    await this.#world.chain.mine();
  }

  /** The addresses of the new pairs, in order; tokens whose deployer is the chain's are minted into them. */
  async createPairs(wanted: readonly NewPair[]): Promise<Address[]> {
    const { chain, actor } = this.#world;
    for (const { one, other } of wanted) chain.call(this.factory, this.#abi, 'createPair', [one, other]);
    await chain.mine();
    const pairs = await Promise.all(wanted.map(({ one, other }) => chain.read<Address>(this.factory, this.#abi, 'getPair', [one, other])));
    for (const [place, { one, other, oneRaw, otherRaw }] of wanted.entries()) {
      chain.call(one, tokenAbi, 'mint', [pairs[place], oneRaw]);
      chain.call(other, tokenAbi, 'mint', [pairs[place], otherRaw]);
      chain.call(pairs[place]!, pairAbi, 'mint', [actor]);
    }
    await chain.mine();
    return pairs.map(lower);
  }
}
