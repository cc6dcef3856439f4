// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// @notice Packs steps as `Executor` reads them.
library Pack {
    function call(address target, bytes memory data) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(0), target, uint24(data.length), data);
    }

    function callWithValue(address target, uint128 value, bytes memory data) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(0x04), target, value, uint24(data.length), data);
    }

    function patched(address target, address token, uint24 offset, bytes memory data) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(0x08), target, token, offset, uint24(data.length), data);
    }

    function looking(address target, address source, bytes memory look, bool negated, uint24 offset, bytes memory data)
        internal
        pure
        returns (bytes memory)
    {
        uint8 head = negated ? 0x68 : 0x28;
        return abi.encodePacked(head, target, source, look, offset, uint24(data.length), data);
    }

    function approve(address token, address spender, uint256 amount) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(1), token, spender, amount);
    }

    function pay(address token, uint8 argument) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(3), token, argument);
    }

    function enter(address target, bytes memory data, bytes4 selector, uint8 argument, bytes memory payload)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(
            uint8(2), target, target, selector, argument, keccak256(payload), uint24(data.length), data
        );
    }
}
