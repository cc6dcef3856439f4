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
