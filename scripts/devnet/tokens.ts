import type { Address } from 'viem';
import { ASSETS } from './assets.ts';
import type { SetupChain } from './chain.ts';
import { type Artifact, compileUnit } from './compile.ts';

/** The devnet's own small contracts. */
export function ownContracts(): Promise<Record<string, Artifact>> {
  return compileUnit({
    name: 'devnet contracts',
    solc: 'solc-0.8.27',
    entries: ['DevToken', 'Multicall3'].map((name) => `scripts/devnet/contracts/${name}.sol`),
    settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
  });
}

/** Queues the creation of the plain tokens and of a real WETH9; the staked ETH comes with its price adapter, from the oracle. */
export function deployTokens(chain: SetupChain, weth9: Artifact, devToken: Artifact): Record<string, Address> {
  const tokens: Record<string, Address> = {};
  for (const { symbol, name, decimals, ratioWad } of ASSETS) {
    if (symbol === 'WETH') tokens[symbol] = chain.deploy(symbol, weth9);
    else if (ratioWad === undefined) tokens[symbol] = chain.deploy(symbol, devToken, [name, symbol, decimals]);
  }
  return tokens;
}
