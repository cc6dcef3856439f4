// SPDX-License-Identifier: MIT
pragma solidity 0.8.26;

import {IERC165} from "@synthetixio/core-contracts/contracts/interfaces/IERC165.sol";
import {INodeModule} from "@synthetixio/oracle-manager/contracts/interfaces/INodeModule.sol";

// Stand-ins for files of `@synthetixio/main` and `@synthetixio/rewards-distributor`, which are not on npm: as much of each as the perps market uses.
// Their names are those that the real sources import.

interface IMarketManagerModule {
    function registerMarket(address market) external returns (uint128 marketId);

    function depositMarketUsd(uint128 marketId, address target, uint256 amount) external returns (uint256 feeAmount);

    function withdrawMarketUsd(uint128 marketId, address target, uint256 amount) external returns (uint256 feeAmount);

    function getWithdrawableMarketUsd(uint128 marketId) external view returns (uint256);
}

interface IMarketCollateralModule {
    function depositMarketCollateral(uint128 marketId, address collateralType, uint256 amount) external;

    function withdrawMarketCollateral(uint128 marketId, address collateralType, uint256 amount) external;
}

interface IUtilsModule {
    function getOracleManager() external view returns (INodeModule);
}

interface ICollateralConfigurationModule {}

interface IVaultModule {
    function getVaultCollateral(uint128 poolId, address collateralType) external returns (uint256 amount, uint256 value);
}

interface IMarket is IERC165 {
    function name(uint128 marketId) external view returns (string memory);

    function reportedDebt(uint128 marketId) external view returns (uint256);

    function minimumCredit(uint128 marketId) external view returns (uint256);
}

interface IRewardDistributor is IERC165 {
    function name() external view returns (string memory);

    function token() external view returns (address);
}

interface RewardsDistributor is IRewardDistributor {
    function poolId() external view returns (uint128);

    function distributeRewards(
        uint128 poolId,
        address collateralType,
        uint256 amount,
        uint64 start,
        uint32 duration
    ) external;
}

library AccountRBAC {
    bytes32 internal constant _PERPS_MODIFY_COLLATERAL_PERMISSION = "PERPS_MODIFY_COLLATERAL";
    bytes32 internal constant _PERPS_COMMIT_ASYNC_ORDER_PERMISSION = "PERPS_COMMIT_ASYNC_ORDER";
}

/// An account belongs to one address, which alone may act for it.
library Account {
    struct Data {
        address owner;
    }

    error AccountNotFound(uint128 accountId);
    error PermissionDenied(uint128 accountId, bytes32 permission, address target);

    function load(uint128 id) internal pure returns (Data storage account) {
        bytes32 s = keccak256(abi.encode("bailiff.devnet.Account", id));
        assembly {
            account.slot := s
        }
    }

    function exists(uint128 id) internal view returns (Data storage account) {
        account = load(id);
        if (account.owner == address(0)) revert AccountNotFound(id);
    }

    function loadAccountAndValidatePermission(uint128 id, bytes32 permission) internal view returns (Data storage account) {
        account = load(id);
        if (account.owner != msg.sender) revert PermissionDenied(id, permission, msg.sender);
    }
}
