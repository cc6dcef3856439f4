// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {AssetConfig, AssetInfo, AssetListDouble} from "./AssetListDouble.sol";

interface IToken {
    function balanceOf(address account) external view returns (uint256);
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
    function decimals() external view returns (uint8);
}

interface IFeed {
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80);
}

/// Rates are a second's, factors scaled by 1e18.
struct Curve {
    uint256 kink;
    uint256 slopeLow;
    uint256 slopeHigh;
    uint256 base;
}

struct Config {
    address governor;
    address baseToken;
    address baseTokenPriceFeed;
    Curve supply;
    Curve borrow;
    uint256 storeFrontPriceFactor;
    uint256 baseBorrowMin;
    uint256 targetReserves;
    AssetConfig[] assets;
}

/// Stands in for Compound III's market, which is on no package registry: written from its public interface and its documented behaviour, to the
/// unit in everything that a liquidation depends on. It has the interface of the release with an extended list of assets (up to 24), and is meant
/// to stand behind a proxy, as the original. Left out is what no liquidation looks at: rewards, allowances, signatures, supply caps, points of
/// absorbers, and the calls in somebody else's name.
contract CometDouble {
    error AlreadyInitialized();
    error BadAsset();
    error BadPrice();
    error BorrowTooSmall();
    error InsufficientReserves();
    error NoSelfTransfer();
    error NotCollateralized();
    error NotForSale();
    error NotLiquidatable();
    error Paused();
    error TooMuchSlippage();
    error Unauthorized();

    event Supply(address indexed from, address indexed dst, uint256 amount);
    event Transfer(address indexed from, address indexed to, uint256 amount);
    event Withdraw(address indexed src, address indexed to, uint256 amount);
    event SupplyCollateral(address indexed from, address indexed dst, address indexed asset, uint256 amount);
    event TransferCollateral(address indexed from, address indexed to, address indexed asset, uint256 amount);
    event WithdrawCollateral(address indexed src, address indexed to, address indexed asset, uint256 amount);
    event AbsorbDebt(address indexed absorber, address indexed borrower, uint256 basePaidOut, uint256 usdValue);
    event AbsorbCollateral(
        address indexed absorber,
        address indexed borrower,
        address indexed asset,
        uint256 collateralAbsorbed,
        uint256 usdValue
    );
    event BuyCollateral(address indexed buyer, address indexed asset, uint256 baseAmount, uint256 collateralAmount);
    event PauseAction(bool supplyPaused, bool transferPaused, bool withdrawPaused, bool absorbPaused, bool buyPaused);

    struct TotalsBasic {
        uint64 baseSupplyIndex;
        uint64 baseBorrowIndex;
        uint64 trackingSupplyIndex;
        uint64 trackingBorrowIndex;
        uint104 totalSupplyBase;
        uint104 totalBorrowBase;
        uint40 lastAccrualTime;
        uint8 pauseFlags;
    }

    struct UserBasic {
        int104 principal;
        uint64 baseTrackingIndex;
        uint64 baseTrackingAccrued;
        uint16 assetsIn;
        uint8 _reserved;
    }

    struct Balance {
        uint128 balance;
        uint128 _reserved;
    }

    uint64 private constant INDEX_SCALE = 1e15;
    uint256 private constant FACTOR_SCALE = 1e18;
    uint8 private constant WITHDRAW_PAUSED = 1 << 2;
    uint8 private constant TRANSFER_PAUSED = 1 << 1;
    uint8 private constant SUPPLY_PAUSED = 1;
    uint8 private constant ABSORB_PAUSED = 1 << 3;
    uint8 private constant BUY_PAUSED = 1 << 4;

    address public immutable governor;
    address public immutable baseToken;
    address public immutable baseTokenPriceFeed;
    uint256 public immutable supplyKink;
    uint256 public immutable supplyPerSecondInterestRateSlopeLow;
    uint256 public immutable supplyPerSecondInterestRateSlopeHigh;
    uint256 public immutable supplyPerSecondInterestRateBase;
    uint256 public immutable borrowKink;
    uint256 public immutable borrowPerSecondInterestRateSlopeLow;
    uint256 public immutable borrowPerSecondInterestRateSlopeHigh;
    uint256 public immutable borrowPerSecondInterestRateBase;
    uint256 public immutable storeFrontPriceFactor;
    uint256 public immutable baseScale;
    uint256 public immutable baseBorrowMin;
    uint256 public immutable targetReserves;
    uint8 public immutable numAssets;
    AssetListDouble public immutable assetList;

    TotalsBasic private totals;
    mapping(address asset => Balance) public totalsCollateral;
    mapping(address account => UserBasic) public userBasic;
    mapping(address account => mapping(address asset => Balance)) public userCollateral;

    constructor(Config memory config) {
        governor = config.governor;
        baseToken = config.baseToken;
        baseTokenPriceFeed = config.baseTokenPriceFeed;
        supplyKink = config.supply.kink;
        supplyPerSecondInterestRateSlopeLow = config.supply.slopeLow;
        supplyPerSecondInterestRateSlopeHigh = config.supply.slopeHigh;
        supplyPerSecondInterestRateBase = config.supply.base;
        borrowKink = config.borrow.kink;
        borrowPerSecondInterestRateSlopeLow = config.borrow.slopeLow;
        borrowPerSecondInterestRateSlopeHigh = config.borrow.slopeHigh;
        borrowPerSecondInterestRateBase = config.borrow.base;
        storeFrontPriceFactor = config.storeFrontPriceFactor;
        baseScale = 10 ** IToken(config.baseToken).decimals();
        baseBorrowMin = config.baseBorrowMin;
        targetReserves = config.targetReserves;
        numAssets = uint8(config.assets.length);
        assetList = new AssetListDouble(config.assets);
    }

    function initializeStorage() external {
        if (totals.lastAccrualTime != 0) revert AlreadyInitialized();
        totals.lastAccrualTime = uint40(block.timestamp);
        totals.baseSupplyIndex = INDEX_SCALE;
        totals.baseBorrowIndex = INDEX_SCALE;
    }

    // ---- what people do

    function supply(address asset, uint256 amount) external {
        supplyTo(msg.sender, asset, amount);
    }

    /// All of a debt is repaid by the largest amount there is.
    function supplyTo(address dst, address asset, uint256 amount) public {
        if (paused(SUPPLY_PAUSED)) revert Paused();
        if (asset != baseToken) {
            uint128 received = uint128(take(asset, amount));
            totalsCollateral[asset].balance += received;
            setCollateral(dst, asset, userCollateral[dst][asset].balance + received);
            emit SupplyCollateral(msg.sender, dst, asset, received);
            return;
        }
        if (amount == type(uint256).max) amount = borrowBalanceOf(dst);
        amount = take(baseToken, amount);
        accrue();
        (, uint104 supplied) = credit(dst, amount);
        emit Supply(msg.sender, dst, amount);
        if (supplied > 0) emit Transfer(address(0), dst, valueOfSupply(totals.baseSupplyIndex, supplied));
    }

    function withdraw(address asset, uint256 amount) external {
        withdrawTo(msg.sender, asset, amount);
    }

    /// Beyond what was supplied it is borrowed.
    function withdrawTo(address to, address asset, uint256 amount) public {
        if (paused(WITHDRAW_PAUSED)) revert Paused();
        if (asset != baseToken) {
            uint128 taken = uint128(amount);
            totalsCollateral[asset].balance -= taken;
            setCollateral(msg.sender, asset, userCollateral[msg.sender][asset].balance - taken);
            if (!isBorrowCollateralized(msg.sender)) revert NotCollateralized();
            give(asset, to, amount);
            emit WithdrawCollateral(msg.sender, to, asset, amount);
            return;
        }
        accrue();
        if (amount == type(uint256).max) amount = balanceOf(msg.sender);
        uint104 withdrawn = debit(msg.sender, amount);
        give(baseToken, to, amount);
        emit Withdraw(msg.sender, to, amount);
        if (withdrawn > 0) emit Transfer(msg.sender, address(0), valueOfSupply(totals.baseSupplyIndex, withdrawn));
    }

    function transfer(address dst, uint256 amount) external returns (bool) {
        transferAsset(dst, baseToken, amount);
        return true;
    }

    /// NOTE: debt that moves from one debtor to another shows in no event.
    function transferAsset(address dst, address asset, uint256 amount) public {
        if (paused(TRANSFER_PAUSED)) revert Paused();
        if (dst == msg.sender) revert NoSelfTransfer();
        if (asset != baseToken) {
            uint128 moved = uint128(amount);
            setCollateral(msg.sender, asset, userCollateral[msg.sender][asset].balance - moved);
            setCollateral(dst, asset, userCollateral[dst][asset].balance + moved);
            if (!isBorrowCollateralized(msg.sender)) revert NotCollateralized();
            emit TransferCollateral(msg.sender, dst, asset, amount);
            return;
        }
        accrue();
        if (amount == type(uint256).max) amount = balanceOf(msg.sender);
        // What the receiver repays or is owed counts before the sender is asked for collateral: nothing of it depends on the order.
        (, uint104 supplied) = credit(dst, amount);
        uint104 withdrawn = debit(msg.sender, amount);
        if (withdrawn > 0) emit Transfer(msg.sender, address(0), valueOfSupply(totals.baseSupplyIndex, withdrawn));
        if (supplied > 0) emit Transfer(address(0), dst, valueOfSupply(totals.baseSupplyIndex, supplied));
    }

    function accrueAccount(address) external {
        accrue();
    }

    // ---- liquidation

    function absorb(address absorber, address[] calldata accounts) external {
        if (paused(ABSORB_PAUSED)) revert Paused();
        accrue();
        for (uint256 i = 0; i < accounts.length; i++) absorbOne(absorber, accounts[i]);
    }

    function absorbOne(address absorber, address account) private {
        if (!isLiquidatable(account)) revert NotLiquidatable();
        UserBasic memory user = userBasic[account];
        uint256 basePrice = getPrice(baseTokenPriceFeed);
        uint256 credited;
        for (uint8 i = 0; i < numAssets; i++) {
            if (!isIn(user, i)) continue;
            AssetInfo memory info = getAssetInfo(i);
            uint128 seized = userCollateral[account][info.asset].balance;
            userCollateral[account][info.asset].balance = 0;
            totalsCollateral[info.asset].balance -= seized;
            uint256 value = (seized * getPrice(info.priceFeed)) / info.scale;
            credited += (value * info.liquidationFactor) / FACTOR_SCALE;
            emit AbsorbCollateral(absorber, account, info.asset, seized, value);
        }
        int256 balance = presentValue(user.principal);
        int256 balanceNew = balance + int256((credited * baseScale) / basePrice);
        // Debt beyond the collateral is the protocol's loss.
        if (balanceNew < 0) balanceNew = 0;
        int104 principalNew = principalOf(balanceNew);
        (uint104 repaid, uint104 supplied) = risen(user.principal, principalNew);
        totals.totalSupplyBase += supplied;
        totals.totalBorrowBase -= repaid;
        userBasic[account].principal = principalNew;
        userBasic[account].assetsIn = 0;
        userBasic[account]._reserved = 0;
        uint256 paidOut = uint256(balanceNew - balance);
        emit AbsorbDebt(absorber, account, paidOut, (paidOut * basePrice) / baseScale);
        if (principalNew > 0) emit Transfer(address(0), account, valueOfSupply(totals.baseSupplyIndex, uint104(principalNew)));
    }

    function buyCollateral(address asset, uint256 minAmount, uint256 baseAmount, address recipient) external {
        if (paused(BUY_PAUSED)) revert Paused();
        int256 reserves = getReserves();
        if (reserves >= 0 && uint256(reserves) >= targetReserves) revert NotForSale();
        baseAmount = take(baseToken, baseAmount);
        uint256 bought = quoteCollateral(asset, baseAmount);
        if (bought < minAmount) revert TooMuchSlippage();
        if (bought > getCollateralReserves(asset)) revert InsufficientReserves();
        give(asset, recipient, bought);
        emit BuyCollateral(msg.sender, asset, baseAmount, bought);
    }

    function quoteCollateral(address asset, uint256 baseAmount) public view returns (uint256) {
        AssetInfo memory info = getAssetInfoByAddress(asset);
        uint256 discount = (storeFrontPriceFactor * (FACTOR_SCALE - info.liquidationFactor)) / FACTOR_SCALE;
        uint256 price = (getPrice(info.priceFeed) * (FACTOR_SCALE - discount)) / FACTOR_SCALE;
        return (getPrice(baseTokenPriceFeed) * baseAmount * info.scale) / price / baseScale;
    }

    // ---- what the governor does

    function pause(bool supplyPaused, bool transferPaused, bool withdrawPaused, bool absorbPaused, bool buyPaused) external {
        if (msg.sender != governor) revert Unauthorized();
        totals.pauseFlags = flag(supplyPaused, SUPPLY_PAUSED) | flag(transferPaused, TRANSFER_PAUSED)
            | flag(withdrawPaused, WITHDRAW_PAUSED) | flag(absorbPaused, ABSORB_PAUSED) | flag(buyPaused, BUY_PAUSED);
        emit PauseAction(supplyPaused, transferPaused, withdrawPaused, absorbPaused, buyPaused);
    }

    function withdrawReserves(address to, uint256 amount) external {
        if (msg.sender != governor) revert Unauthorized();
        int256 reserves = getReserves();
        if (reserves < 0 || amount > uint256(reserves)) revert InsufficientReserves();
        give(baseToken, to, amount);
    }

    // ---- views

    /// With the indices as they were last stored.
    function isLiquidatable(address account) public view returns (bool) {
        return short(account, true);
    }

    function isBorrowCollateralized(address account) public view returns (bool) {
        return !short(account, false);
    }

    /// Assets are asked for their price only for as long as those before do not cover the debt.
    function short(address account, bool liquidating) private view returns (bool) {
        UserBasic memory user = userBasic[account];
        if (user.principal >= 0) return false;
        int256 left = (presentValue(user.principal) * int256(getPrice(baseTokenPriceFeed))) / int256(baseScale);
        for (uint8 i = 0; i < numAssets && left < 0; i++) {
            if (!isIn(user, i)) continue;
            AssetInfo memory info = getAssetInfo(i);
            uint256 value = (userCollateral[account][info.asset].balance * getPrice(info.priceFeed)) / info.scale;
            uint256 factor = liquidating ? info.liquidateCollateralFactor : info.borrowCollateralFactor;
            left += int256((value * factor) / FACTOR_SCALE);
        }
        return left < 0;
    }

    function getPrice(address priceFeed) public view returns (uint256) {
        (, int256 price,,,) = IFeed(priceFeed).latestRoundData();
        if (price <= 0) revert BadPrice();
        return uint256(price);
    }

    function getReserves() public view returns (int256) {
        (uint64 supplyIndex, uint64 borrowIndex) = indicesNow();
        return int256(IToken(baseToken).balanceOf(address(this))) - int256(valueOfSupply(supplyIndex, totals.totalSupplyBase))
            + int256(valueOfBorrow(borrowIndex, totals.totalBorrowBase));
    }

    function getCollateralReserves(address asset) public view returns (uint256) {
        return IToken(asset).balanceOf(address(this)) - totalsCollateral[asset].balance;
    }

    function getUtilization() public view returns (uint256) {
        uint256 supplied = valueOfSupply(totals.baseSupplyIndex, totals.totalSupplyBase);
        if (supplied == 0) return 0;
        return (valueOfBorrow(totals.baseBorrowIndex, totals.totalBorrowBase) * FACTOR_SCALE) / supplied;
    }

    function getSupplyRate(uint256 utilization) public view returns (uint64) {
        uint256 low = utilization < supplyKink ? utilization : supplyKink;
        uint256 steep = (supplyPerSecondInterestRateSlopeHigh * (utilization - low)) / FACTOR_SCALE;
        return uint64(supplyPerSecondInterestRateBase + (supplyPerSecondInterestRateSlopeLow * low) / FACTOR_SCALE + steep);
    }

    function getBorrowRate(uint256 utilization) public view returns (uint64) {
        uint256 low = utilization < borrowKink ? utilization : borrowKink;
        uint256 steep = (borrowPerSecondInterestRateSlopeHigh * (utilization - low)) / FACTOR_SCALE;
        return uint64(borrowPerSecondInterestRateBase + (borrowPerSecondInterestRateSlopeLow * low) / FACTOR_SCALE + steep);
    }

    function balanceOf(address account) public view returns (uint256) {
        (uint64 supplyIndex,) = indicesNow();
        int104 principal = userBasic[account].principal;
        return principal > 0 ? valueOfSupply(supplyIndex, uint104(principal)) : 0;
    }

    function borrowBalanceOf(address account) public view returns (uint256) {
        (, uint64 borrowIndex) = indicesNow();
        int104 principal = userBasic[account].principal;
        return principal < 0 ? valueOfBorrow(borrowIndex, uint104(-principal)) : 0;
    }

    function totalsBasic() external view returns (TotalsBasic memory) {
        return totals;
    }

    function getAssetInfo(uint8 i) public view returns (AssetInfo memory) {
        return assetList.getAssetInfo(i);
    }

    function getAssetInfoByAddress(address asset) public view returns (AssetInfo memory) {
        for (uint8 i = 0; i < numAssets; i++) {
            AssetInfo memory info = getAssetInfo(i);
            if (info.asset == asset) return info;
        }
        revert BadAsset();
    }

    // ---- inside

    function accrue() private {
        (totals.baseSupplyIndex, totals.baseBorrowIndex) = indicesNow();
        totals.lastAccrualTime = uint40(block.timestamp);
    }

    function indicesNow() private view returns (uint64 supplyIndex, uint64 borrowIndex) {
        (supplyIndex, borrowIndex) = (totals.baseSupplyIndex, totals.baseBorrowIndex);
        uint256 elapsed = block.timestamp - totals.lastAccrualTime;
        if (elapsed == 0) return (supplyIndex, borrowIndex);
        uint256 utilization = getUtilization();
        supplyIndex += uint64((supplyIndex * (getSupplyRate(utilization) * elapsed)) / FACTOR_SCALE);
        borrowIndex += uint64((borrowIndex * (getBorrowRate(utilization) * elapsed)) / FACTOR_SCALE);
    }

    function credit(address account, uint256 amount) private returns (uint104 repaid, uint104 supplied) {
        int104 before = userBasic[account].principal;
        int104 after_ = principalOf(presentValue(before) + int256(amount));
        (repaid, supplied) = risen(before, after_);
        totals.totalSupplyBase += supplied;
        totals.totalBorrowBase -= repaid;
        userBasic[account].principal = after_;
    }

    function debit(address account, uint256 amount) private returns (uint104 withdrawn) {
        int104 before = userBasic[account].principal;
        int256 balance = presentValue(before) - int256(amount);
        int104 after_ = principalOf(balance);
        if (after_ <= before) {
            withdrawn = before <= 0 ? 0 : uint104(after_ >= 0 ? before - after_ : before);
            totals.totalSupplyBase -= withdrawn;
            totals.totalBorrowBase += uint104(before - after_) - withdrawn;
        }
        userBasic[account].principal = after_;
        if (balance >= 0) return withdrawn;
        if (uint256(-balance) < baseBorrowMin) revert BorrowTooSmall();
        if (!isBorrowCollateralized(account)) revert NotCollateralized();
    }

    /// A rise of principal, as what it repays and what it supplies. Rounding can make a fall of it: that is neither.
    function risen(int104 before, int104 after_) private pure returns (uint104 repaid, uint104 supplied) {
        if (after_ < before) return (0, 0);
        repaid = before >= 0 ? 0 : uint104(after_ <= 0 ? after_ - before : -before);
        supplied = uint104(after_ - before) - repaid;
    }

    function presentValue(int104 principal) private view returns (int256) {
        return principal >= 0
            ? int256(valueOfSupply(totals.baseSupplyIndex, uint104(principal)))
            : -int256(valueOfBorrow(totals.baseBorrowIndex, uint104(-principal)));
    }

    /// Against whoever holds it: what is supplied rounded down, what is borrowed up.
    function principalOf(int256 value) private view returns (int104) {
        if (value >= 0) return int104(int256((uint256(value) * INDEX_SCALE) / totals.baseSupplyIndex));
        uint256 index = totals.baseBorrowIndex;
        return -int104(int256((uint256(-value) * INDEX_SCALE + index - 1) / index));
    }

    function valueOfSupply(uint64 index, uint104 principal) private pure returns (uint256) {
        return (uint256(principal) * index) / INDEX_SCALE;
    }

    function valueOfBorrow(uint64 index, uint104 principal) private pure returns (uint256) {
        return (uint256(principal) * index) / INDEX_SCALE;
    }

    function setCollateral(address account, address asset, uint128 balance) private {
        uint8 i = getAssetInfoByAddress(asset).offset;
        uint128 before = userCollateral[account][asset].balance;
        userCollateral[account][asset].balance = balance;
        if ((before == 0) == (balance == 0)) return;
        UserBasic storage user = userBasic[account];
        if (i < 16) user.assetsIn ^= uint16(1) << i;
        else user._reserved ^= uint8(1) << (i - 16);
    }

    function isIn(UserBasic memory user, uint8 i) private pure returns (bool) {
        return i < 16 ? user.assetsIn & (uint16(1) << i) != 0 : user._reserved & (uint8(1) << (i - 16)) != 0;
    }

    function paused(uint8 what) private view returns (bool) {
        return totals.pauseFlags & what != 0;
    }

    function flag(bool set, uint8 what) private pure returns (uint8) {
        return set ? what : 0;
    }

    function take(address token, uint256 amount) private returns (uint256) {
        uint256 before = IToken(token).balanceOf(address(this));
        IToken(token).transferFrom(msg.sender, address(this), amount);
        return IToken(token).balanceOf(address(this)) - before;
    }

    function give(address token, address to, uint256 amount) private {
        IToken(token).transfer(to, amount);
    }
}
