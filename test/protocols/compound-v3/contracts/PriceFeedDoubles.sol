// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface IFeed {
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80);
    function decimals() external view returns (uint8);
}

abstract contract FeedDouble {
    uint8 public constant decimals = 8;

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (1, price(), block.timestamp, block.timestamp, 1);
    }

    function price() internal view virtual returns (int256);

    function priceOf(address feed) internal view returns (int256 answer) {
        (, answer,,,) = IFeed(feed).latestRoundData();
    }
}

/// As Compound's MultiplicativePriceFeed answers: two feeds multiplied, 0 where one of them is not positive.
contract MultiplicativePriceFeedDouble is FeedDouble {
    address public immutable priceFeedA;
    address public immutable priceFeedB;
    int256 public immutable combinedScale;
    int256 public constant priceFeedScale = 1e8;

    constructor(address a, address b) {
        priceFeedA = a;
        priceFeedB = b;
        combinedScale = int256(10 ** (uint256(IFeed(a).decimals()) + IFeed(b).decimals()));
    }

    function price() internal view override returns (int256) {
        (int256 a, int256 b) = (priceOf(priceFeedA), priceOf(priceFeedB));
        return a <= 0 || b <= 0 ? int256(0) : (a * b * priceFeedScale) / combinedScale;
    }
}

/// As Compound's ReverseMultiplicativePriceFeed answers: one feed divided by another.
contract ReverseMultiplicativePriceFeedDouble is FeedDouble {
    address public immutable priceFeedA;
    address public immutable priceFeedB;
    int256 public immutable priceFeedAScale;
    int256 public immutable priceFeedBScale;
    int256 public constant priceFeedScale = 1e8;

    constructor(address a, address b) {
        priceFeedA = a;
        priceFeedB = b;
        priceFeedAScale = int256(10 ** uint256(IFeed(a).decimals()));
        priceFeedBScale = int256(10 ** uint256(IFeed(b).decimals()));
    }

    function price() internal view override returns (int256) {
        (int256 a, int256 b) = (priceOf(priceFeedA), priceOf(priceFeedB));
        return a <= 0 || b <= 0 ? int256(0) : (a * priceFeedBScale * priceFeedScale) / b / priceFeedAScale;
    }
}

/// As Compound's ScalingPriceFeed answers: a feed of other decimals.
contract ScalingPriceFeedDouble is FeedDouble {
    address public immutable underlyingPriceFeed;
    int256 private immutable up;
    int256 private immutable down;

    constructor(address underlying) {
        underlyingPriceFeed = underlying;
        uint256 theirs = IFeed(underlying).decimals();
        up = theirs < 8 ? int256(10 ** (8 - theirs)) : int256(1);
        down = theirs > 8 ? int256(10 ** (theirs - 8)) : int256(1);
    }

    function price() internal view override returns (int256) {
        return (priceOf(underlyingPriceFeed) * up) / down;
    }
}

/// Whatever it is told: a feed that nobody can take apart, and that may answer nonsense.
contract SetPriceFeedDouble is FeedDouble {
    int256 private answer;

    constructor(int256 answer_) {
        answer = answer_;
    }

    function set(int256 answer_) external {
        answer = answer_;
    }

    function price() internal view override returns (int256) {
        return answer;
    }
}
