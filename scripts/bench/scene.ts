/** The devnet's market with its world mirrored, for what is measured on real positions. Started by the first who asks. */
import { createPublicClient, http, type PublicClient } from 'viem';
import { RpcPool } from '../../src/chain/rpc.ts';
import { type AddressBook, resolveAddressBook } from '../../src/config/addressBook.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import type { Address } from '../../src/lib/types.ts';
import { AaveV3Market } from '../../src/protocols/aave-v3/market.ts';
import { World } from '../../src/world.ts';
import { type Deployments, deploymentsOf } from '../devnet/deployments.ts';
import { createFixture, type Fixture } from '../devnet/fixture.ts';

const POSITIONS = 2_000;
const SEED = 1;
/** viem stops at 10 MiB by itself: less than the history here. */
const MAX_ANSWER_BYTES = 200_000_000;

export type Scene = { readonly fixture: Fixture; readonly rpc: RpcPool; readonly book: AddressBook; readonly viem: PublicClient };

let opening: Promise<Scene> | undefined;

export function openScene(): Promise<Scene> {
  opening ??= open();
  return opening;
}

export async function closeScene(): Promise<void> {
  const scene = await opening;
  scene?.rpc.close();
  await scene?.fixture.stop();
  opening = undefined;
}

async function open(): Promise<Scene> {
  const fixture = await createFixture({ positions: POSITIONS, seed: SEED });
  const book = bookOf(deploymentsOf(fixture.market));
  const rpc = await RpcPool.open([new SecretUrl(fixture.anvil.rpcUrl)]);
  return {
    fixture,
    rpc,
    book,
    viem: createPublicClient({ transport: http(fixture.anvil.rpcUrl, { timeout: 60_000, maxResponseBodySize: MAX_ANSWER_BYTES }) }),
  };
}

function bookOf(deployments: Deployments): AddressBook {
  const { chainId, wrappedNative, multicall3, bridgeTokens, usdFeeds } = deployments;
  return resolveAddressBook(chainId, undefined, {
    wrappedNative: lower(wrappedNative),
    multicall3: lower(multicall3),
    'aave-v3': deployments['aave-v3'].map((one) => ({ ...one, poolAddressesProvider: lower(one.poolAddressesProvider) })),
    'uniswap-v3': deployments['uniswap-v3'].map((one) => ({ ...one, factory: lower(one.factory) })),
    bridgeTokens: bridgeTokens.map(lower),
    usdFeeds: Object.fromEntries(Object.entries(usdFeeds).map(([token, feed]) => [lower(token), lower(feed)])),
  });
}

function lower(address: string): Address {
  return address.toLowerCase() as Address;
}

export async function mirrored({ rpc, book }: Scene): Promise<{ readonly world: World; readonly market: AaveV3Market }> {
  const executor: Address = '0x00000000000000000000000000000000000e8ec0';
  const world = await World.open({ rpc, book, executor }, () => {});
  const market = world.protocols[0];
  if (!(market instanceof AaveV3Market)) throw new Error('the devnet has no Aave v3 market');
  return { world, market };
}
