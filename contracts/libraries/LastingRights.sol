// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// @notice Functions by which a caller gives somebody a right on its assets that outlasts the transaction.
/// @dev A fence against mistakes, and against the plainest use of a stolen key; no proof. A contract can name such a function as it
/// likes, or take it wrapped in a `multicall`. What protects the assets is that none are kept between transactions, and that no
/// registered one may fall.
library LastingRights {
    /// @dev ERC-20 and ERC-721.
    bytes4 internal constant APPROVE = 0x095ea7b3; // approve(address,uint256)
    bytes4 internal constant INCREASE_ALLOWANCE = 0x39509351; // increaseAllowance(address,uint256)
    bytes4 internal constant INCREASE_APPROVAL = 0xd73dd623; // increaseApproval(address,uint256)
    /// @dev ERC-1363.
    bytes4 internal constant APPROVE_AND_CALL = 0x3177029f; // approveAndCall(address,uint256)
    bytes4 internal constant APPROVE_AND_CALL_DATA = 0xcae9ca51; // approveAndCall(address,uint256,bytes)
    /// @dev ERC-2612, Dai's, and USDC's for contracts' signatures.
    bytes4 internal constant PERMIT = 0xd505accf; // permit(address,address,uint256,uint256,uint8,bytes32,bytes32)
    bytes4 internal constant PERMIT_DAI = 0x8fcbaf0c; // permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)
    bytes4 internal constant PERMIT_BYTES = 0x9fd5a6cf; // permit(address,address,uint256,uint256,bytes)
    /// @dev ERC-721 and ERC-1155.
    bytes4 internal constant SET_APPROVAL_FOR_ALL = 0xa22cb465; // setApprovalForAll(address,bool)
    /// @dev ERC-777.
    bytes4 internal constant AUTHORIZE_OPERATOR = 0x959b8c3f; // authorizeOperator(address)
    /// @dev ERC-6909.
    bytes4 internal constant APPROVE_ID = 0x426a8493; // approve(address,uint256,uint256)
    bytes4 internal constant SET_OPERATOR = 0x558a7297; // setOperator(address,bool)
    /// @dev Permit2.
    bytes4 internal constant PERMIT2_APPROVE = 0x87517c45; // approve(address,address,uint160,uint48)
    bytes4 internal constant PERMIT2_SINGLE = 0x2b67b570; // permit(address,((address,uint160,uint48,uint48),address,uint256),bytes)
    bytes4 internal constant PERMIT2_BATCH = 0x2a2d80d1; // permit(address,((address,uint160,uint48,uint48)[],address,uint256),bytes)
    /// @dev Aave v3: debt tokens and pool.
    bytes4 internal constant APPROVE_DELEGATION = 0xc04a8a10; // approveDelegation(address,uint256)
    bytes4 internal constant APPROVE_POSITION_MANAGER = 0xb8caa7c5; // approvePositionManager(address,bool)
    /// @dev Morpho Blue.
    bytes4 internal constant SET_AUTHORIZATION = 0xeecea000; // setAuthorization(address,bool)
    /// @dev Compound III; Venus.
    bytes4 internal constant ALLOW = 0x110496e5; // allow(address,bool)
    bytes4 internal constant UPDATE_DELEGATE = 0xddbf54fd; // updateDelegate(address,bool)
    /// @dev Perp v2's delegates; Synthetix v3's accounts.
    bytes4 internal constant APPROVE_ACTIONS = 0x4342e966; // approve(address,uint8)
    bytes4 internal constant GRANT_PERMISSION = 0x00cd9ef3; // grantPermission(uint128,bytes32,address)
    /// @dev Euler's vault connector; Balancer v2; Maker.
    bytes4 internal constant SET_ACCOUNT_OPERATOR = 0x9f5c462a; // setAccountOperator(address,address,bool)
    bytes4 internal constant SET_RELAYER_APPROVAL = 0xfa6e671d; // setRelayerApproval(address,address,bool)
    bytes4 internal constant HOPE = 0xa3b22fc4; // hope(address)

    function given(bytes4 selector) internal pure returns (bool) {
        // Most selectors share no first byte with any of these, and leave here.
        uint256 firstBytes = _bit(APPROVE) | _bit(INCREASE_ALLOWANCE) | _bit(INCREASE_APPROVAL) | _bit(APPROVE_AND_CALL)
            | _bit(APPROVE_AND_CALL_DATA) | _bit(PERMIT) | _bit(PERMIT_DAI) | _bit(PERMIT_BYTES) | _bit(SET_APPROVAL_FOR_ALL)
            | _bit(AUTHORIZE_OPERATOR) | _bit(APPROVE_ID) | _bit(SET_OPERATOR) | _bit(PERMIT2_APPROVE) | _bit(PERMIT2_SINGLE)
            | _bit(PERMIT2_BATCH) | _bit(APPROVE_DELEGATION) | _bit(APPROVE_POSITION_MANAGER) | _bit(SET_AUTHORIZATION)
            | _bit(ALLOW) | _bit(UPDATE_DELEGATE) | _bit(APPROVE_ACTIONS) | _bit(GRANT_PERMISSION) | _bit(SET_ACCOUNT_OPERATOR)
            | _bit(SET_RELAYER_APPROVAL) | _bit(HOPE);
        if (firstBytes & _bit(selector) == 0) return false;

        return selector == APPROVE || selector == INCREASE_ALLOWANCE || selector == INCREASE_APPROVAL
            || selector == APPROVE_AND_CALL || selector == APPROVE_AND_CALL_DATA || selector == PERMIT || selector == PERMIT_DAI
            || selector == PERMIT_BYTES || selector == SET_APPROVAL_FOR_ALL || selector == AUTHORIZE_OPERATOR
            || selector == APPROVE_ID || selector == SET_OPERATOR || selector == PERMIT2_APPROVE || selector == PERMIT2_SINGLE
            || selector == PERMIT2_BATCH || selector == APPROVE_DELEGATION || selector == APPROVE_POSITION_MANAGER
            || selector == SET_AUTHORIZATION || selector == ALLOW || selector == UPDATE_DELEGATE || selector == APPROVE_ACTIONS
            || selector == GRANT_PERMISSION || selector == SET_ACCOUNT_OPERATOR || selector == SET_RELAYER_APPROVAL
            || selector == HOPE;
    }

    function _bit(bytes4 selector) private pure returns (uint256) {
        return 1 << uint8(bytes1(selector));
    }
}
