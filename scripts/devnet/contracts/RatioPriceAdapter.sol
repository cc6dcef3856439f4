// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface IBaseFeed {
    function latestAnswer() external view returns (int256);
    function decimals() external view returns (uint8);
}

interface IPooledEther {
    function getPooledEthByShares(uint256 shares) external view returns (uint256);
}

/// The staked token's price from the ETH/USD feed and the token's own ratio, by the names and the arithmetic of Aave's mainnet wstETH
/// source (BGD Labs' WstETHPriceCapAdapter over PriceCapAdapterBase). The cap on the ratio's growth is left out, so the price
/// depends on the two answers alone, never on the time.
contract RatioPriceAdapter {
    IBaseFeed public immutable BASE_TO_USD_AGGREGATOR;
    address public immutable RATIO_PROVIDER;
    uint8 public constant RATIO_DECIMALS = 18;
    uint8 public immutable DECIMALS;
    string public description;

    constructor(address baseToUsdAggregator, address ratioProvider, string memory description_) {
        BASE_TO_USD_AGGREGATOR = IBaseFeed(baseToUsdAggregator);
        RATIO_PROVIDER = ratioProvider;
        DECIMALS = IBaseFeed(baseToUsdAggregator).decimals();
        description = description_;
    }

    function decimals() external view returns (uint8) {
        return DECIMALS;
    }

    function getRatio() public view returns (int256) {
        return int256(IPooledEther(RATIO_PROVIDER).getPooledEthByShares(10 ** RATIO_DECIMALS));
    }

    /// basePrice * ratio / 10^RATIO_DECIMALS, rounded towards zero; 0 (which Aave's oracle treats as no answer) when either is not positive.
    function latestAnswer() external view returns (int256) {
        int256 ratio = getRatio();
        int256 basePrice = BASE_TO_USD_AGGREGATOR.latestAnswer();
        if (basePrice <= 0 || ratio <= 0) return 0;
        return (basePrice * ratio) / int256(10 ** RATIO_DECIMALS);
    }
}
