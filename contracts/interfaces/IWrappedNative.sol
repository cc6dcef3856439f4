// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface IWrappedNative {
    function withdraw(uint256 amount) external;
}
