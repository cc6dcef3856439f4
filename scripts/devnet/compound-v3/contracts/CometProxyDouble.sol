// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// Where a market's state is: an EIP-1967 proxy that its owner gives another configuration by giving it another implementation, as Compound's governance does.
contract CometProxyDouble {
    bytes32 private constant IMPLEMENTATION = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);
    address private immutable owner = msg.sender;

    event Upgraded(address indexed implementation);

    constructor(address implementation) {
        point(implementation);
    }

    function upgradeTo(address implementation) external {
        require(msg.sender == owner, "not the owner");
        point(implementation);
    }

    function point(address implementation) private {
        bytes32 slot = IMPLEMENTATION;
        assembly ("memory-safe") {
            sstore(slot, implementation)
        }
        emit Upgraded(implementation);
    }

    fallback() external payable {
        bytes32 slot = IMPLEMENTATION;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), sload(slot), 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(done) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }
}
