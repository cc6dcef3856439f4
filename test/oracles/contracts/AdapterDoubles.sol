// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface IFeed {
    function latestAnswer() external view returns (int256);
}

/// Stands in for BGD's PriceCapAdapterBase in its current form (growth scaled by 1e6), which is not on npm: same names, same arithmetic.
contract GrowthCapDouble {
    address public immutable BASE_TO_USD_AGGREGATOR;
    uint8 public constant RATIO_DECIMALS = 18;
    uint256 public getSnapshotRatio;
    uint256 public getSnapshotTimestamp;
    uint256 public getMaxRatioGrowthPerSecondScaled;
    int256 public getRatio;

    constructor(address base, uint256 snapshotRatio, uint256 growthScaled, int256 ratio) {
        BASE_TO_USD_AGGREGATOR = base;
        getSnapshotRatio = snapshotRatio;
        getSnapshotTimestamp = block.timestamp;
        getMaxRatioGrowthPerSecondScaled = growthScaled;
        getRatio = ratio;
    }

    function setRatio(int256 ratio) external {
        getRatio = ratio;
    }

    function getMaxRatioGrowthPerSecond() external view returns (uint256) {
        return getMaxRatioGrowthPerSecondScaled / 1e6;
    }

    function latestAnswer() external view returns (int256) {
        int256 ratio = getRatio;
        int256 base = IFeed(BASE_TO_USD_AGGREGATOR).latestAnswer();
        if (base <= 0 || ratio <= 0) return 0;
        int256 most = int256(
            getSnapshotRatio + (getMaxRatioGrowthPerSecondScaled * (block.timestamp - getSnapshotTimestamp)) / 1e6
        );
        return base * (ratio > most ? most : ratio) / 1e18;
    }
}

/// Stands in for BGD's PriceCapAdapterStable: the feed's answer, up to a cap.
contract StableCapDouble {
    address public immutable ASSET_TO_USD_AGGREGATOR;
    int256 public getPriceCap;

    constructor(address base, int256 cap) {
        ASSET_TO_USD_AGGREGATOR = base;
        getPriceCap = cap;
    }

    function setPriceCap(int256 cap) external {
        getPriceCap = cap;
    }

    function latestAnswer() external view returns (int256) {
        int256 base = IFeed(ASSET_TO_USD_AGGREGATOR).latestAnswer();
        return base > getPriceCap ? getPriceCap : base <= 0 ? int256(0) : base;
    }
}

/// Has a ratio adapter's names and another formula.
contract LyingAdapterDouble {
    address public immutable BASE_TO_USD_AGGREGATOR;
    uint8 public constant RATIO_DECIMALS = 18;
    int256 public constant getRatio = 1.1e18;

    constructor(address base) {
        BASE_TO_USD_AGGREGATOR = base;
    }

    function latestAnswer() external view returns (int256) {
        return IFeed(BASE_TO_USD_AGGREGATOR).latestAnswer() * 108 / 100;
    }
}

/// A price that its owner sets.
contract SetPriceDouble {
    int256 public latestAnswer;

    constructor(int256 price) {
        latestAnswer = price;
    }

    function setPrice(int256 price) external {
        latestAnswer = price;
    }
}

/// Stands in for BGD's CLRatePriceCapAdapter: the ratio is a feed of its own.
contract FeedRatioCapDouble {
    address public immutable BASE_TO_USD_AGGREGATOR;
    address public immutable RATIO_PROVIDER;
    uint8 public constant RATIO_DECIMALS = 18;
    uint256 public constant getSnapshotRatio = 1e18;
    uint256 public immutable getSnapshotTimestamp = block.timestamp;
    uint256 public constant getMaxRatioGrowthPerSecondScaled = 1e16;

    constructor(address base, address ratio) {
        BASE_TO_USD_AGGREGATOR = base;
        RATIO_PROVIDER = ratio;
    }

    function getRatio() public view returns (int256) {
        return IFeed(RATIO_PROVIDER).latestAnswer();
    }

    function latestAnswer() external view returns (int256) {
        int256 ratio = getRatio();
        int256 base = IFeed(BASE_TO_USD_AGGREGATOR).latestAnswer();
        if (base <= 0 || ratio <= 0) return 0;
        int256 most = int256(
            getSnapshotRatio + (getMaxRatioGrowthPerSecondScaled * (block.timestamp - getSnapshotTimestamp)) / 1e6
        );
        return base * (ratio > most ? most : ratio) / 1e18;
    }
}

/// Stands in for BGD's EURPriceCapAdapterStable: a cap in another feed's currency.
contract EuroCapDouble {
    address public immutable ASSET_TO_USD_AGGREGATOR;
    address public immutable BASE_TO_USD_AGGREGATOR;
    uint8 public constant RATIO_DECIMALS = 8;
    int256 public getPriceCapRatio;

    constructor(address asset, address base, int256 ratio) {
        ASSET_TO_USD_AGGREGATOR = asset;
        BASE_TO_USD_AGGREGATOR = base;
        getPriceCapRatio = ratio;
    }

    function latestAnswer() external view returns (int256) {
        int256 asset = IFeed(ASSET_TO_USD_AGGREGATOR).latestAnswer();
        int256 most = IFeed(BASE_TO_USD_AGGREGATOR).latestAnswer() * getPriceCapRatio / 1e8;
        return asset > most ? most : asset;
    }
}

/// Stands in for BGD's PendlePriceCapAdapter: a discount that shrinks to nothing at maturity.
contract DiscountDouble {
    uint256 public constant PERCENTAGE_FACTOR = 1e18;
    uint256 public constant SECONDS_PER_YEAR = 365 days;
    address public immutable ASSET_TO_USD_AGGREGATOR;
    uint256 public immutable MATURITY;
    uint64 public discountRatePerYear;

    constructor(address asset, uint256 secondsLeft, uint64 rate) {
        ASSET_TO_USD_AGGREGATOR = asset;
        MATURITY = block.timestamp + secondsLeft;
        discountRatePerYear = rate;
    }

    function latestAnswer() external view returns (int256) {
        int256 asset = IFeed(ASSET_TO_USD_AGGREGATOR).latestAnswer();
        if (asset <= 0) return 0;
        uint256 left = MATURITY > block.timestamp ? MATURITY - block.timestamp : 0;
        uint256 discount = left * discountRatePerYear / SECONDS_PER_YEAR;
        return int256(uint256(asset) * (PERCENTAGE_FACTOR - discount) / PERCENTAGE_FACTOR);
    }
}

/// Stands in for BGD's CLSynchronicityPriceAdapterPegToBase.
contract PegToBaseDouble {
    address public immutable PEG_TO_BASE;
    address public immutable ASSET_TO_PEG;
    uint8 public immutable DECIMALS;
    int256 public immutable DENOMINATOR;

    constructor(address peg, address asset, uint8 decimals, int256 denominator) {
        PEG_TO_BASE = peg;
        ASSET_TO_PEG = asset;
        DECIMALS = decimals;
        DENOMINATOR = denominator;
    }

    function latestAnswer() external view returns (int256) {
        int256 asset = IFeed(ASSET_TO_PEG).latestAnswer();
        int256 peg = IFeed(PEG_TO_BASE).latestAnswer();
        if (asset <= 0 || peg <= 0) return 0;
        return asset * peg * int256(10 ** DECIMALS) / DENOMINATOR;
    }
}

/// Stands in for BGD's CLSynchronicityPriceAdapterBaseToPeg.
contract BaseToPegDouble {
    address public immutable BASE_TO_PEG;
    address public immutable ASSET_TO_PEG;
    uint8 public immutable DECIMALS;

    constructor(address base, address asset, uint8 decimals) {
        BASE_TO_PEG = base;
        ASSET_TO_PEG = asset;
        DECIMALS = decimals;
    }

    function latestAnswer() external view returns (int256) {
        int256 asset = IFeed(ASSET_TO_PEG).latestAnswer();
        int256 base = IFeed(BASE_TO_PEG).latestAnswer();
        if (asset <= 0 || base <= 0) return 0;
        return asset * int256(10 ** DECIMALS) / base;
    }
}

/// Stands in for BGD's FixedRatioSynchronicityPriceAdapterBaseToPeg.
contract FixedRatioDouble {
    address public immutable BASE_TO_PEG;
    int256 public constant PRICE_RATIO = 9_500;
    int256 public constant MULTIPLIER = 1e26;

    constructor(address base) {
        BASE_TO_PEG = base;
    }

    function latestAnswer() external view returns (int256) {
        int256 base = IFeed(BASE_TO_PEG).latestAnswer();
        return base <= 0 ? int256(0) : PRICE_RATIO * MULTIPLIER / (100_00 * base);
    }
}

/// What the old ratio adapters ask: a token's own rate under each of their names.
contract RateDouble {
    uint256 public exchangeRate;

    constructor(uint256 rate) {
        exchangeRate = rate;
    }

    function setRate(uint256 rate) external {
        exchangeRate = rate;
    }

    function getPooledEthByShares(uint256 shares) external view returns (uint256) {
        return shares * exchangeRate / 1e18;
    }
}

/// Stands in for BGD's WstETHSynchronicityPriceAdapter.
contract PooledRatioDouble {
    address public immutable ETH_TO_BASE;
    address public immutable STETH;

    constructor(address base, address rate) {
        ETH_TO_BASE = base;
        STETH = rate;
    }

    function latestAnswer() external view returns (int256) {
        int256 base = IFeed(ETH_TO_BASE).latestAnswer();
        int256 ratio = int256(RateDouble(STETH).getPooledEthByShares(1e18));
        if (base <= 0 || ratio <= 0) return 0;
        return base * ratio / 1e18;
    }
}

/// Stands in for BGD's CbEthSynchronicityPriceAdapter.
contract ExchangeRatioDouble {
    address public immutable CBETH_TO_BASE;
    address public immutable RATE_PROVIDER;

    constructor(address base, address rate) {
        CBETH_TO_BASE = base;
        RATE_PROVIDER = rate;
    }

    function latestAnswer() external view returns (int256) {
        int256 base = IFeed(CBETH_TO_BASE).latestAnswer();
        int256 ratio = int256(RateDouble(RATE_PROVIDER).exchangeRate());
        if (base <= 0 || ratio <= 0) return 0;
        return base * ratio / 1e18;
    }
}

/// Stands in for BGD's FixedPriceAdapter.
contract FixedPriceDouble {
    int256 public price;

    constructor(int256 price_) {
        price = price_;
    }

    function setPrice(int256 price_) external {
        price = price_;
    }

    function latestAnswer() external view returns (int256) {
        return price;
    }
}

/// Answers as PriceCapAdapterStable until its owner has it answer otherwise, under the same getters.
contract TurningAdapterDouble {
    address public immutable ASSET_TO_USD_AGGREGATOR;
    int256 public constant getPriceCap = 1e18;
    int256 public less;

    constructor(address base) {
        ASSET_TO_USD_AGGREGATOR = base;
    }

    function turn(int256 less_) external {
        less = less_;
    }

    function latestAnswer() external view returns (int256) {
        return IFeed(ASSET_TO_USD_AGGREGATOR).latestAnswer() - less;
    }
}

/// An oracle that another falls back on: any asset at the price that its owner sets.
contract FallbackOracleDouble {
    mapping(address asset => uint256 price) public getAssetPrice;

    function setAssetPrice(address asset, uint256 price) external {
        getAssetPrice[asset] = price;
    }
}

/// Stands in for Chainlink's L2 sequencer uptime feed: 0 is up, 1 is down, since `startedAt`.
contract UptimeFeedDouble {
    int256 private status;
    uint256 private startedAt;

    function set(int256 status_, uint256 startedAt_) external {
        status = status_;
        startedAt = startedAt_;
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (1, status, startedAt, block.timestamp, 1);
    }
}
