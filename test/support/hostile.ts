/** Markets that are not what they seem, beside the genuine one of a devnet. */
import { type Abi, type Address, encodeFunctionData, type Hex, pad, parseAbi, toFunctionSelector, toHex } from 'viem';
import { SetupChain } from '../../scripts/devnet/chain.ts';
import { type Artifact, compileUnit } from '../../scripts/devnet/compile.ts';
import type { Devnet } from '../../scripts/devnet/devnet.ts';
import { devAccount } from '../../scripts/devnet/keys.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';

export const ACTS = { refuse: 1, answer: 2, silence: 3, burn: 4, megabytes: 5, reenter: 6 } as const;
const BORROWERS = 12;

export type Part = 'provider' | 'pool' | 'oracle';
/** One function that is not answered as it should be. */
export type Lie = { readonly part: Part; readonly signature: string; readonly act: keyof typeof ACTS; readonly answer?: Hex };

const reserveAbi = parseAbi(['function getReservesList() view returns (address[])']);

export class HostileMarkets {
  readonly chain: SetupChain;
  readonly #devnet: Devnet;
  readonly #own: Record<string, Artifact>;

  private constructor(devnet: Devnet, chain: SetupChain, own: Record<string, Artifact>) {
    this.#devnet = devnet;
    this.chain = chain;
    this.#own = own;
  }

  static async on(devnet: Devnet): Promise<HostileMarkets> {
    const own = await compileUnit({
      name: 'hostile contracts',
      solc: 'solc-0.8.27',
      entries: ['test/support/contracts/HostileFront.sol'],
      settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
    });
    const chain = new SetupChain(devnet.rpcUrl, devAccount('deployer'));
    await chain.fund([chain.deployer.address], 10n ** 26n);
    return new HostileMarkets(devnet, chain, own);
  }

  /** A market of some of the genuine one's borrowers, telling these lies. Returns its PoolAddressesProvider. */
  async add(lies: readonly Lie[]): Promise<Address> {
    const { aave, borrowers } = this.#devnet.market;
    const parts = {
      provider: this.#front(aave.poolAddressesProvider),
      pool: this.#front(aave.pool),
      oracle: this.#front(aave.oracle),
    };
    this.#lie(parts.provider, { signature: 'function getPool()', act: 'answer', answer: pad(parts.pool) });
    this.#lie(parts.provider, { signature: 'function getPriceOracle()', act: 'answer', answer: pad(parts.oracle) });
    for (const lie of lies) this.#lie(parts[lie.part], lie);
    const [asset] = await this.chain.read<Address[]>(aave.pool, reserveAbi, 'getReservesList');
    for (const { address } of borrowers.slice(0, BORROWERS)) this.#call(parts.pool, 'hostileBorrow', [address, asset]);
    await this.chain.mine();
    return parts.provider.toLowerCase() as Address;
  }

  /** What the genuine pool answers, with some of it replaced. */
  async patched(signature: string, args: readonly unknown[], patch: (words: bigint[]) => void): Promise<Hex> {
    const abi = parseAbi([signature]) as Abi;
    const name = (abi[0] as { name: string }).name;
    const data = await rpc<Hex>(this.#devnet.rpcUrl, 'eth_call', [
      { to: this.#devnet.market.aave.pool, data: encodeFunctionData({ abi, functionName: name, args: [...args] }) },
      'latest',
    ]);
    const words = data
      .slice(2)
      .match(/.{64}/g)!
      .map((word) => BigInt(`0x${word}`));
    patch(words);
    return `0x${words.map((word) => toHex(word, { size: 32 }).slice(2)).join('')}`;
  }

  #front(behind: Address): Address {
    return this.chain.deploy('a hostile front', this.#own['HostileFront']!, [behind]);
  }

  #lie(front: Address, { signature, act, answer = '0x' }: Omit<Lie, 'part'>): void {
    this.#call(front, 'hostileAct', [toFunctionSelector(signature), ACTS[act], answer]);
  }

  #call(front: Address, functionName: string, args: readonly unknown[]): void {
    this.chain.call(front, this.#own['HostileFront']!.abi, functionName, args);
  }
}
