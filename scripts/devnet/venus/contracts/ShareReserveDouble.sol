// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// @title ShareReserveDouble
/// @notice Stands in for Venus' ProtocolShareReserve, which is in another package: takes what the markets pay out.
contract ShareReserveDouble {
    receive() external payable {}

    function updateAssetsState(address, address, uint8) external {}
}
