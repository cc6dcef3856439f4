/** The scripted crash: what the oracle reports, slot by slot. One report is a rebound, so that a keeper that only ever sells into a fall is found out. */
export type Report = { readonly feed: string; readonly changeBps: number };
export type Act = { readonly title: string; readonly reports: readonly Report[]; readonly blocksAfter: number };

export const CRASH: readonly Act[] = [
  { title: 'ether slips', reports: [{ feed: 'ETH / USD', changeBps: -350 }], blocksAfter: 5 },
  {
    title: 'everything falls',
    reports: [
      { feed: 'ETH / USD', changeBps: -450 },
      { feed: 'BTC / USD', changeBps: -400 },
    ],
    blocksAfter: 5,
  },
  { title: 'a rebound', reports: [{ feed: 'ETH / USD', changeBps: 250 }], blocksAfter: 4 },
  {
    title: 'the second leg down',
    reports: [
      { feed: 'ETH / USD', changeBps: -600 },
      { feed: 'LINK / USD', changeBps: -900 },
    ],
    blocksAfter: 6,
  },
  { title: 'bitcoin follows', reports: [{ feed: 'BTC / USD', changeBps: -500 }], blocksAfter: 6 },
];

/** `answer` moved by so many basis points, rounded down. */
export function moved(answer: bigint, changeBps: number): bigint {
  return (answer * BigInt(10_000 + changeBps)) / 10_000n;
}
