// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface IFeed {
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80);
    function decimals() external view returns (uint8);
}

interface IToken {
    function decimals() external view returns (uint8);
}

interface IMarket {
    function underlying() external view returns (address);
}

/// @title VenusOracleDouble
/// @notice Stands in for Venus' ChainlinkOracle and its DeviationBoundedOracle, of which the package has the interfaces alone: the same getters, the same
/// prices, no bounds.
contract VenusOracleDouble {
    struct TokenConfig {
        address asset;
        address feed;
        uint256 maxStalePeriod;
    }

    address public constant NATIVE_TOKEN_ADDR = 0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB;

    address public immutable owner;
    address public nativeMarket;
    mapping(address asset => TokenConfig) public tokenConfigs;
    /// @notice Set by hand: these win over feeds.
    mapping(address asset => uint256) public prices;

    constructor() {
        owner = msg.sender;
    }

    modifier onlyOwner() {
        require(msg.sender == owner, "not the owner");
        _;
    }

    function setNativeMarket(address market) external onlyOwner {
        nativeMarket = market;
    }

    function setTokenConfig(TokenConfig calldata config) external onlyOwner {
        tokenConfigs[config.asset] = config;
    }

    function setDirectPrice(address asset, uint256 price) external onlyOwner {
        prices[asset] = price;
    }

    function updatePrice(address) external {}

    function updateAssetPrice(address) external {}

    function updateProtectionState(address) external {}

    function getUnderlyingPrice(address market) public view returns (uint256) {
        return market == nativeMarket ? getPrice(NATIVE_TOKEN_ADDR) : getPrice(IMarket(market).underlying());
    }

    function getBoundedPricesView(address market) external view returns (uint256, uint256) {
        uint256 price = getUnderlyingPrice(market);
        return (price, price);
    }

    /// @dev Of 1e36 units, whatever the token's decimals.
    function getPrice(address asset) public view returns (uint256) {
        uint256 decimals = asset == NATIVE_TOKEN_ADDR ? 18 : IToken(asset).decimals();
        if (prices[asset] != 0) return prices[asset] * 10 ** (18 - decimals);
        IFeed feed = IFeed(tokenConfigs[asset].feed);
        require(address(feed) != address(0), "no feed");
        (, int256 answer,,,) = feed.latestRoundData();
        require(answer > 0, "not positive");
        return uint256(answer) * 10 ** (18 - feed.decimals()) * 10 ** (18 - decimals);
    }
}
