import type { Address } from '../../lib/types.ts';
import type { MorphoBlueDeployment } from './morpho-blue.ts';

type Published = { readonly morpho: string; readonly preLiquidationFactory: string; readonly fromBlock: number };

/**
 * By chain id: the contract with the block that it was deployed in, and the factory of pre-liquidation contracts. As Morpho's SDK publishes them
 * (morpho-org/sdks, packages/morpho-ts/src/addresses.ts, as of 2026-07-01); the contract's address also as in docs.morpho.org (contracts, addresses).
 */
const DEPLOYMENTS: Readonly<Record<number, Published>> = {
  1: {
    morpho: '0xBBBBBbbBBb9cC5e90e3b3Af64bdAF62C37EEFFCb',
    preLiquidationFactory: '0x6FF33615e792E35ed1026ea7cACCf42D9BF83476',
    fromBlock: 18_883_124,
  },
  10: {
    morpho: '0xce95AfbB8EA029495c66020883F87aaE8864AF92',
    preLiquidationFactory: '0x3d05C01EE8e97361b9E19D172128255eaE5F98B9',
    fromBlock: 130_770_075,
  },
  56: {
    morpho: '0x01b0Bd309AA75547f7a37Ad7B1219A898E67a83a',
    preLiquidationFactory: '0xEB8871F0FA8aB787AbCD28d1095f7B486d241D42',
    fromBlock: 54_344_680,
  },
  130: {
    morpho: '0x8f5ae9CddB9f68de460C77730b018Ae7E04a140A',
    preLiquidationFactory: '0xb04e4D3D59Ee47Ca9BA192707AF13A7D02969911',
    fromBlock: 9_139_027,
  },
  137: {
    morpho: '0x1bF0c2541F820E775182832f06c0B7Fc27A25f67',
    preLiquidationFactory: '0xeDadDe37D76c72b98725614d0b41C20Fe612d304',
    fromBlock: 66_931_042,
  },
  143: {
    morpho: '0xD5D960E8C380B724a48AC59E2DfF1b2CB4a1eAee',
    preLiquidationFactory: '0xB5b3e541abD19799E0c65905a5a42BD37d6c94c0',
    fromBlock: 31_907_457,
  },
  480: {
    morpho: '0xE741BC7c34758b4caE05062794E8Ae24978AF432',
    preLiquidationFactory: '0xe3cE2051a24e58DBFC0eFBe4c2d9e89c5eAe4695',
    fromBlock: 9_025_669,
  },
  1868: {
    morpho: '0xE75Fc5eA6e74B824954349Ca351eb4e671ADA53a',
    preLiquidationFactory: '0xcBD0710425613d666C5Ffb4dE2eE73554F21c34B',
    fromBlock: 6_440_817,
  },
  8453: {
    morpho: '0xBBBBBbbBBb9cC5e90e3b3Af64bdAF62C37EEFFCb',
    preLiquidationFactory: '0x8cd16b62E170Ee0bA83D80e1F80E6085367e2aef',
    fromBlock: 13_977_148,
  },
  42161: {
    morpho: '0x6c247b1F6182318877311737BaC0844bAa518F5e',
    preLiquidationFactory: '0x635c31B5DF1F7EFbCbC07E302335Ef4230758e3d',
    fromBlock: 296_446_593,
  },
  59144: {
    morpho: '0x6B0D716aC0A45536172308e08fC2C40387262c9F',
    preLiquidationFactory: '0x05a0Ff4E564ED1ba6B42247E19edFf83545C3C40',
    fromBlock: 25_072_608,
  },
  534352: {
    morpho: '0x2d012EdbAdc37eDc2BC62791B666f9193FDF5a55',
    preLiquidationFactory: '0xeD960178e4aDA0296786Fa79D84e8FDF7bd44B25',
    fromBlock: 12_842_868,
  },
};

export function builtIn(chainId: number): { readonly 'morpho-blue': readonly MorphoBlueDeployment[] } {
  const known = DEPLOYMENTS[chainId];
  if (known === undefined) return { 'morpho-blue': [] };
  const { morpho, preLiquidationFactory, fromBlock } = known;
  return { 'morpho-blue': [{ name: 'morpho', morpho: lower(morpho), preLiquidationFactory: lower(preLiquidationFactory), fromBlock }] };
}

function lower(address: string): Address {
  return address.toLowerCase() as Address;
}
