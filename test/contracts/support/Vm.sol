// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// @notice The cheatcodes that these tests use.
interface Vm {
    function assume(bool condition) external pure;
    function coinbase(address account) external;
    function deal(address account, uint256 amount) external;
    function expectRevert(bytes calldata reason) external;
    function getCode(string calldata artifact) external view returns (bytes memory);
    function prank(address account) external;
    function roll(uint256 number) external;
}

Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

function bound(uint256 value, uint256 low, uint256 high) pure returns (uint256) {
    return low + value % (high - low + 1);
}
