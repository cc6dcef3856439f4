// SPDX-License-Identifier: MIT
pragma solidity 0.8.26;

import {IAsyncOrderModule} from "@synthetixio/perps-market/contracts/interfaces/IAsyncOrderModule.sol";
import {IAsyncOrderSettlementPythModule} from "@synthetixio/perps-market/contracts/interfaces/IAsyncOrderSettlementPythModule.sol";
import {IPerpsAccountModule} from "@synthetixio/perps-market/contracts/interfaces/IPerpsAccountModule.sol";
import {AsyncOrder} from "@synthetixio/perps-market/contracts/storage/AsyncOrder.sol";
import {AccountModuleDouble, SynthDouble} from "./SynthetixDoubles.sol";

interface IPerps is IAsyncOrderModule, IAsyncOrderSettlementPythModule, IPerpsAccountModule {}

/// Trades for many accounts in few transactions: it owns them all. What one of them cannot do is passed over.
contract Crowd {
    struct Deposit {
        uint128 account;
        uint128 collateral;
        int256 amount;
    }

    struct Order {
        uint128 account;
        uint128 market;
        int128 size;
    }

    IPerps private immutable perps;

    event Failed(uint128 indexed account, bytes reason);

    constructor(IPerps perps_, SynthDouble[] memory tokens, address custodian) {
        perps = perps_;
        for (uint256 i = 0; i < tokens.length; i++) {
            tokens[i].approve(address(perps_), type(uint256).max);
            tokens[i].approve(custodian, type(uint256).max);
        }
    }

    function create(uint128[] calldata accounts) external {
        for (uint256 i = 0; i < accounts.length; i++) AccountModuleDouble(address(perps)).createAccount(accounts[i]);
    }

    function deposit(Deposit[] calldata deposits) external {
        for (uint256 i = 0; i < deposits.length; i++) {
            Deposit calldata one = deposits[i];
            try perps.modifyCollateral(one.account, one.collateral, one.amount) {} catch (bytes memory reason) {
                emit Failed(one.account, reason);
            }
        }
    }

    function commit(Order[] calldata orders) external {
        for (uint256 i = 0; i < orders.length; i++) {
            Order calldata one = orders[i];
            uint256 limit = one.size > 0 ? type(uint256).max : 0;
            AsyncOrder.OrderCommitmentRequest memory request = AsyncOrder.OrderCommitmentRequest(
                one.market,
                one.account,
                one.size,
                0,
                limit,
                0,
                address(0)
            );
            try perps.commitOrder(request) {} catch (bytes memory reason) {
                emit Failed(one.account, reason);
            }
        }
    }

    function settle(uint128[] calldata accounts) external {
        for (uint256 i = 0; i < accounts.length; i++) {
            try perps.settleOrder(accounts[i]) {} catch (bytes memory reason) {
                emit Failed(accounts[i], reason);
            }
        }
    }

    function payDebt(uint128 account, uint256 amount) external {
        perps.payDebt(account, amount);
    }
}
