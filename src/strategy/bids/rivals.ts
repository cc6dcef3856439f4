/**
 * What the best rival pays, by size. Derived by scripts/bids/derive.ts, which writes this file, from 896 of 1,800
 * Aave v3 liquidations on Ethereum won in Chainlink SVR auctions, blocks 22,838,366 to 25,466,366 (public-chain
 * events as collected by kelbic/edge-research): those with an even FNV-1a of their block number.
 * A winner's payment is the refund observed / 0.9. Smoothed over size: means over widths of 0.25, 0.4, 0.6, 0.8 decades for the spread and of 0.4, 0.7, 1 for the trend.
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
    sharesBps: [2726, 5517, 8209, 8967, 9313, 9532, 9665, 9746, 9813, 9869, 9910, 9965, 10000, 10000, 10000, 10000, 10000, 10000, 10000],
  },
  {
    decade: 1.5,
    sharesBps: [4988, 8077, 8944, 9310, 9515, 9656, 9730, 9790, 9832, 9872, 9910, 9954, 9987, 10000, 10000, 10000, 10000, 10000, 10000],
  },
  {
    decade: 2,
    sharesBps: [5443, 8135, 8798, 9192, 9401, 9533, 9660, 9730, 9775, 9825, 9864, 9897, 9947, 10000, 10000, 10000, 10000, 10000, 10000],
  },
  {
    decade: 2.5,
    sharesBps: [5477, 7948, 8500, 8893, 9181, 9354, 9472, 9601, 9695, 9753, 9804, 9848, 9902, 9942, 9979, 10000, 10000, 10000, 10000],
  },
  {
    decade: 3,
    sharesBps: [5448, 7803, 8314, 8715, 8993, 9261, 9394, 9518, 9638, 9697, 9763, 9823, 9890, 9942, 9967, 10000, 10000, 10000, 10000],
  },
  {
    decade: 3.5,
    sharesBps: [6022, 7633, 8218, 8591, 8953, 9184, 9325, 9453, 9562, 9630, 9693, 9753, 9818, 9904, 9945, 10000, 10000, 10000, 10000],
  },
  {
    decade: 4,
    sharesBps: [5570, 6836, 7446, 8008, 8401, 8777, 8968, 9097, 9249, 9364, 9459, 9551, 9647, 9721, 9833, 9936, 10000, 10000, 10000],
  },
  {
    decade: 4.5,
    sharesBps: [4578, 5522, 5996, 6647, 7227, 7550, 7949, 8329, 8504, 8718, 8878, 9016, 9168, 9334, 9442, 9589, 9789, 9937, 10000],
  },
  {
    decade: 5,
    sharesBps: [2912, 3612, 4107, 4559, 5127, 5649, 6073, 6535, 6934, 7365, 7608, 7860, 8047, 8338, 8670, 8946, 9221, 9550, 9817],
  },
  {
    decade: 5.5,
    sharesBps: [1900, 2559, 2920, 3377, 3710, 4033, 4383, 4726, 5010, 5476, 5769, 5960, 6147, 6463, 6775, 7150, 7641, 8286, 9020],
  },
  {
    decade: 6,
    sharesBps: [1407, 1611, 1899, 2092, 2239, 2349, 2723, 2923, 3092, 3225, 3397, 3616, 3769, 4025, 4326, 4759, 5150, 5773, 6656],
  },
];
