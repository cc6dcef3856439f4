import type { Address } from '../../lib/types.ts';
import type { CometDeployment } from './compound-v3.ts';

type Market = readonly [name: string, comet: string, fromBlock: number];

/**
 * By chain id. Names and addresses are those of Compound's own repository (compound-finance/comet, deployments/<chain>/<market>/configuration.json and roots.json).
 * Two markets of Arbitrum share a name: that of the bridged token is told apart. A block is a round number below the deployment, told by the date of the market's first migration there: too low costs a few empty ranges, too high would miss
 * accounts.
 */
const DEPLOYMENTS: Readonly<Record<number, readonly Market[]>> = {
  1: [
    ['cUSDCv3', '0xc3d688B66703497DAA19211EEdff47f25384cdc3', 15_300_000],
    ['cWETHv3', '0xA17581A9E3356d9A858b789D68B4d866e593aE94', 15_800_000],
    ['cUSDTv3', '0x3Afdc9BCA9213A35503b077a6072F3D0d5AB0840', 19_900_000],
    ['cWstETHv3', '0x3D0bb1ccaB520A66e607822fC55BC921738fAFE3', 20_400_000],
    ['cUSDSv3', '0x5D409e56D886231aDAf00c8775665AD0f9897b56', 20_800_000],
    ['cWBTCv3', '0xe85Dc543813B8c2CFEaAc371517b925a166a9293', 21_500_000],
  ],
  10: [
    ['cUSDCv3', '0x2e44e174f7D53F0212823acC11C01A11d58c5bCB', 115_500_000],
    ['cUSDTv3', '0x995E394b8B2437aC8Ce61Ee0bC610D617962B214', 118_500_000],
    ['cWETHv3', '0xE36A30D249f7761327fd973001A32010b521b6Fd', 122_000_000],
  ],
  130: [
    ['cUSDCv3', '0x2c7118c4C88B9841FCF839074c26Ae8f035f2921', 8_500_000],
    ['cWETHv3', '0x6C987dDE50dB1dcDd32Cd4175778C2a291978E2a', 14_500_000],
  ],
  137: [
    ['cUSDCv3', '0xF25212E676D1F7F89Cd72fFEe66158f541246445', 38_000_000],
    ['cUSDTv3', '0xaeB318360f27748Acb200CE616E389A6C9409a07', 55_000_000],
  ],
  8453: [
    ['cUSDbCv3', '0x9c4ec768c28520B50860ea7a15bd7213a9fF58bf', 1_400_000],
    ['cWETHv3', '0x46e6b214b524310239732D51387075E0e70970bf', 1_400_000],
    ['cUSDCv3', '0xb125E6687d4313864e53df431d5425969c15Eb2F', 10_000_000],
    ['cAEROv3', '0x784efeB622244d2348d4F2522f8860B96fbEcE89', 20_500_000],
    ['cUSDSv3', '0x2c776041CCFe903071AF44aa147368a9c8EEA518', 23_000_000],
  ],
  42161: [
    ['cUSDCev3', '0xA5EDBDD9646f8dFF606d7448e414884C7d905dCA', 69_000_000],
    ['cUSDCv3', '0x9c4ec768c28520B50860ea7a15bd7213a9fF58bf', 95_000_000],
    ['cWETHv3', '0x6f7D514bbD4aFf3BcD1140B7344b32f063dEe486', 210_000_000],
    ['cUSDTv3', '0xd98Be00b5D27fc98112BdE293e487f8D4cA57d07', 215_000_000],
  ],
  59144: [
    ['cUSDCv3', '0x8D38A3d6B3c3B7d96D6536DA7Eef94A9d7dbC991', 13_000_000],
    ['cWETHv3', '0x60F2058379716A64a7A5d29219397e79bC552194', 13_000_000],
  ],
  534352: [['cUSDCv3', '0xB2f97c1Bd3bf02f5e74d13f02E3e26F93D77CE44', 2_500_000]],
};

export function builtIn(chainId: number): { readonly 'compound-v3': readonly CometDeployment[] } {
  const markets = DEPLOYMENTS[chainId] ?? [];
  return { 'compound-v3': markets.map(([name, comet, fromBlock]) => ({ name, comet: comet.toLowerCase() as Address, fromBlock })) };
}
