/** Nodes of Synthetix' oracle manager: how a price comes about is a tree of them, and a node's id follows from what it is. */
import { type Abi, type Address, encodeAbiParameters, type Hex, keccak256, parseAbi } from 'viem';
import type { SetupChain } from '../chain.ts';

/** NodeDefinition.NodeType. */
const TYPE = { external: 2, chainlink: 3, pyth: 5, staleness: 7, lookup: 9 } as const;

const nodeAbi = parseAbi(['function registerNode(uint8 nodeType, bytes parameters, bytes32[] parents) returns (bytes32)']) as Abi;

export class Nodes {
  readonly #chain: SetupChain;
  readonly #manager: Address;

  constructor(chain: SetupChain, manager: Address) {
    this.#chain = chain;
    this.#manager = manager;
  }

  external(contract: Address): Hex {
    return this.#register(TYPE.external, encodeAbiParameters([{ type: 'address' }], [contract]));
  }

  chainlink(feed: Address, decimals: number): Hex {
    return this.#register(
      TYPE.chainlink,
      encodeAbiParameters([{ type: 'address' }, { type: 'uint256' }, { type: 'uint8' }], [feed, 0n, decimals]),
    );
  }

  pyth(contract: Address, priceId: Hex): Hex {
    return this.#register(
      TYPE.pyth,
      encodeAbiParameters([{ type: 'address' }, { type: 'bytes32' }, { type: 'bool' }], [contract, priceId, false]),
    );
  }

  /** Asks for an update by ERC-7412 whenever it is asked itself. */
  lookup(contract: Address, priceId: Hex, seconds: number): Hex {
    return this.#register(
      TYPE.lookup,
      encodeAbiParameters([{ type: 'address' }, { type: 'bytes32' }, { type: 'uint256' }], [contract, priceId, BigInt(seconds)]),
    );
  }

  /** The first parent while it is fresh, then the second, if there is one. */
  fresh(seconds: number, ...parents: readonly Hex[]): Hex {
    return this.#register(TYPE.staleness, encodeAbiParameters([{ type: 'uint256' }], [BigInt(seconds)]), parents);
  }

  #register(type: number, parameters: Hex, parents: readonly Hex[] = []): Hex {
    this.#chain.call(this.#manager, nodeAbi, 'registerNode', [type, parameters, parents]);
    // NodeDefinition.getId
    return keccak256(encodeAbiParameters([{ type: 'uint8' }, { type: 'bytes' }, { type: 'bytes32[]' }], [type, parameters, parents]));
  }
}
