/**
 * What the best rival pays, by size. Derived by scripts/bids/derive.ts, which writes this file, from 896 of 1,800
 * Aave v3 liquidations on Ethereum won in Chainlink SVR auctions, blocks 22,838,366 to 25,466,366 (public-chain
 * events as collected by kelbic/edge-research): those with an even FNV-1a of their block number.
 * A winner's payment is the refund observed / 0.9. Widths, in decades, by cross-validation: 0.4 for the spread, 0.4 for the trend.
 */
export type RivalShares = {
  /** log10 of what is bid on: gross profit less gas, in USD. */
  readonly decade: number;
  /** Shares of it, in basis points, below which the best rival stays in LEVELS percent of the auctions. 10,000: no rival is beaten with profit. */
  readonly sharesBps: readonly number[];
};

export const LEVELS: readonly number[] = [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90, 95];

export const RIVALS: readonly RivalShares[] = [
  {
    decade: 1,
    sharesBps: [2508, 5566, 8292, 9144, 9368, 9566, 9698, 9777, 9828, 9897, 9933, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000],
  },
  {
    decade: 1.5,
    sharesBps: [5031, 8202, 9073, 9399, 9578, 9694, 9755, 9808, 9858, 9875, 9930, 9948, 10000, 10000, 10000, 10000, 10000, 10000, 10000],
  },
  {
    decade: 2,
    sharesBps: [5532, 8163, 8829, 9226, 9426, 9546, 9675, 9737, 9779, 9829, 9864, 9899, 9945, 10000, 10000, 10000, 10000, 10000, 10000],
  },
  {
    decade: 2.5,
    sharesBps: [5173, 7954, 8466, 8865, 9141, 9340, 9462, 9598, 9697, 9749, 9801, 9850, 9897, 9947, 9965, 10000, 10000, 10000, 10000],
  },
  {
    decade: 3,
    sharesBps: [5701, 7845, 8337, 8697, 8986, 9284, 9397, 9515, 9629, 9701, 9767, 9819, 9891, 9947, 9952, 10000, 10000, 10000, 10000],
  },
  {
    decade: 3.5,
    sharesBps: [5791, 7687, 8370, 8615, 9029, 9191, 9346, 9464, 9594, 9643, 9708, 9771, 9832, 9916, 9950, 10000, 10000, 10000, 10000],
  },
  {
    decade: 4,
    sharesBps: [5952, 7021, 7623, 8095, 8519, 8870, 9033, 9118, 9288, 9384, 9462, 9580, 9644, 9715, 9828, 9934, 10000, 10000, 10000],
  },
  {
    decade: 4.5,
    sharesBps: [4589, 5614, 5929, 6558, 7155, 7504, 7870, 8194, 8480, 8681, 8810, 8964, 9060, 9286, 9396, 9553, 9758, 9905, 10000],
  },
  {
    decade: 5,
    sharesBps: [2924, 3518, 4067, 4286, 5109, 5584, 5996, 6372, 6771, 7253, 7561, 7731, 7921, 8089, 8501, 8779, 9067, 9379, 9715],
  },
  {
    decade: 5.5,
    sharesBps: [1759, 2341, 2832, 3426, 3658, 4022, 4111, 4638, 4934, 5394, 5524, 5801, 5927, 6283, 6442, 6745, 7613, 8082, 8701],
  },
  {
    decade: 6,
    sharesBps: [1629, 1823, 2007, 2200, 2232, 2356, 2660, 2942, 3083, 3083, 3194, 3433, 3633, 3736, 3918, 4322, 4687, 4850, 6280],
  },
];
