// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IIrm} from "@morpho-org/morpho-blue/src/interfaces/IIrm.sol";
import {Id, Market, MarketParams} from "@morpho-org/morpho-blue/src/interfaces/IMorpho.sol";

/// @title AdaptiveCurveIrmDouble
/// @notice Stands in for Morpho's AdaptiveCurveIrm, which is on no package registry: written from its published formula. The rate follows a curve of
/// utilization through `rateAtTarget`, which itself grows or shrinks exponentially while utilization is off its target.
contract AdaptiveCurveIrmDouble is IIrm {
    event BorrowRateUpdate(Id indexed id, uint256 avgBorrowRate, uint256 rateAtTarget);

    int256 internal constant WAD = 1e18;
    int256 internal constant STEEPNESS = 4e18;
    int256 internal constant SPEED = int256(50e18) / 365 days;
    int256 internal constant TARGET = 0.9e18;
    int256 internal constant INITIAL = int256(0.04e18) / 365 days;
    int256 internal constant LEAST = int256(0.001e18) / 365 days;
    int256 internal constant MOST = int256(2e18) / 365 days;
    int256 internal constant LN_2 = 693147180559945309;

    address public immutable MORPHO;
    mapping(Id id => int256) public rateAtTarget;

    constructor(address morpho) {
        MORPHO = morpho;
    }

    function borrowRateView(MarketParams memory params, Market memory market) external view returns (uint256 rate) {
        (rate,) = _rates(_idOf(params), market);
    }

    function borrowRate(MarketParams memory params, Market memory market) external returns (uint256 rate) {
        require(msg.sender == MORPHO, "not Morpho");
        Id id = _idOf(params);
        int256 end;
        (rate, end) = _rates(id, market);
        rateAtTarget[id] = end;
        emit BorrowRateUpdate(id, rate, uint256(end));
    }

    function _rates(Id id, Market memory market) internal view returns (uint256 average, int256 end) {
        int256 used = market.totalSupplyAssets == 0
            ? int256(0)
            : int256(uint256(market.totalBorrowAssets)) * WAD / int256(uint256(market.totalSupplyAssets));
        int256 off = (used - TARGET) * WAD / (used > TARGET ? WAD - TARGET : TARGET);
        int256 start = rateAtTarget[id];
        int256 middle = start;
        end = start;
        if (start == 0) {
            (middle, end) = (INITIAL, INITIAL);
        } else {
            int256 change = (SPEED * off / WAD) * int256(block.timestamp - market.lastUpdate);
            if (change != 0) {
                end = _changed(start, change);
                middle = (start + end + 2 * _changed(start, change / 2)) / 4;
            }
        }
        int256 slope = off < 0 ? WAD - WAD * WAD / STEEPNESS : STEEPNESS - WAD;
        average = uint256((slope * off / WAD + WAD) * middle / WAD);
    }

    function _changed(int256 start, int256 change) internal pure returns (int256 rate) {
        rate = start * _exp(change) / WAD;
        if (rate < LEAST) rate = LEAST;
        if (rate > MOST) rate = MOST;
    }

    function _exp(int256 x) internal pure returns (int256) {
        if (x < -41.446531673892822312e18) return 0;
        if (x >= 93.859467695000404319e18) return 57716089161558943949701069502944508345128.422502756744429568e18;
        int256 q = (x + (x < 0 ? -(LN_2 / 2) : LN_2 / 2)) / LN_2;
        int256 r = x - q * LN_2;
        int256 power = WAD + r + r * r / WAD / 2;
        return q >= 0 ? power << uint256(q) : power >> uint256(-q);
    }

    function _idOf(MarketParams memory params) internal pure returns (Id) {
        return Id.wrap(keccak256(abi.encode(params)));
    }
}
