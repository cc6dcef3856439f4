// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface IFeed {
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80);
    function decimals() external view returns (uint8);
}

interface IVault {
    function convertToAssets(uint256 shares) external view returns (uint256);
}

/// @title ChainlinkOracleV2Double
/// @notice Stands in for Morpho's MorphoChainlinkOracleV2, which is on no package registry: the same getters, the same formula.
/// @dev Amounts stay far below what needs a 512-bit product here.
contract ChainlinkOracleV2Double {
    struct Side {
        address vault;
        uint256 sample;
        address feed1;
        address feed2;
        uint256 tokenDecimals;
    }

    address public immutable BASE_VAULT;
    uint256 public immutable BASE_VAULT_CONVERSION_SAMPLE;
    address public immutable BASE_FEED_1;
    address public immutable BASE_FEED_2;
    address public immutable QUOTE_VAULT;
    uint256 public immutable QUOTE_VAULT_CONVERSION_SAMPLE;
    address public immutable QUOTE_FEED_1;
    address public immutable QUOTE_FEED_2;
    uint256 public immutable SCALE_FACTOR;

    constructor(Side memory base, Side memory quote) {
        BASE_VAULT = base.vault;
        BASE_VAULT_CONVERSION_SAMPLE = base.sample;
        BASE_FEED_1 = base.feed1;
        BASE_FEED_2 = base.feed2;
        QUOTE_VAULT = quote.vault;
        QUOTE_VAULT_CONVERSION_SAMPLE = quote.sample;
        QUOTE_FEED_1 = quote.feed1;
        QUOTE_FEED_2 = quote.feed2;
        uint256 up = 36 + quote.tokenDecimals + _decimals(quote.feed1) + _decimals(quote.feed2);
        uint256 down = base.tokenDecimals + _decimals(base.feed1) + _decimals(base.feed2);
        SCALE_FACTOR = 10 ** (up - down) * quote.sample / base.sample;
    }

    function price() external view returns (uint256) {
        uint256 base = _assets(BASE_VAULT, BASE_VAULT_CONVERSION_SAMPLE) * _answer(BASE_FEED_1) * _answer(BASE_FEED_2);
        uint256 quote = _assets(QUOTE_VAULT, QUOTE_VAULT_CONVERSION_SAMPLE) * _answer(QUOTE_FEED_1) * _answer(QUOTE_FEED_2);
        return SCALE_FACTOR * base / quote;
    }

    function _assets(address vault, uint256 shares) internal view returns (uint256) {
        return vault == address(0) ? 1 : IVault(vault).convertToAssets(shares);
    }

    function _answer(address feed) internal view returns (uint256) {
        if (feed == address(0)) return 1;
        (, int256 answer,,,) = IFeed(feed).latestRoundData();
        require(answer >= 0, "negative answer");
        return uint256(answer);
    }

    function _decimals(address feed) internal view returns (uint256) {
        return feed == address(0) ? 0 : IFeed(feed).decimals();
    }
}
