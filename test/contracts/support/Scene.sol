// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {WETH9} from "@aave-dao/aave-v3-origin/src/contracts/dependencies/weth/WETH9.sol";
import {Group, IExecutor, Sequence} from "../../../contracts/interfaces/IExecutor.sol";
import {CallbackDouble, ITransfer, PotDouble} from "../doubles/Callers.sol";
import {TokenDouble} from "../doubles/Tokens.sol";
import {Pack} from "./Pack.sol";
import {vm} from "./Vm.sol";

/// @notice An Executor that this contract owns and operates, with a treasury, some assets, and a pot of profit.
abstract contract Scene {
    address internal constant TREASURY = address(0x7eA5);
    bytes4 internal constant SWAP = bytes4(keccak256("uniswapV3SwapCallback(int256,int256,bytes)"));

    WETH9 internal weth;
    TokenDouble internal other;
    PotDouble internal pot;
    CallbackDouble internal pool;
    IExecutor internal executor;

    function setUp() public virtual {
        weth = new WETH9();
        other = new TokenDouble();
        pot = new PotDouble();
        pool = new CallbackDouble();
        address[] memory operators = new address[](1);
        operators[0] = address(this);
        bytes memory arguments = abi.encode(address(weth), address(this), TREASURY, operators);
        // Its own artifact, so that these tests compile fast, with other settings than the Executor's.
        executor = IExecutor(deploy(bytes.concat(vm.getCode("contracts/Executor.sol:Executor"), arguments)));
    }

    /// @dev For invariants, whose handlers act for everybody. NOTE: left to choose, the engine sends from contracts too, the Executor among them, and then takes
    /// its native balance.
    function targetSenders() external pure returns (address[] memory senders) {
        senders = new address[](1);
        senders[0] = address(0xBEEF);
    }

    function deploy(bytes memory code) private returns (address made) {
        assembly ("memory-safe") {
            made := create(0, add(code, 32), mload(code))
        }
        assert(made != address(0));
    }

    function fillPot(uint256 amount) internal {
        vm.deal(address(this), amount);
        weth.deposit{value: amount}();
        weth.transfer(address(pot), amount);
    }

    function give(uint256 amount) internal view returns (bytes memory) {
        return Pack.call(address(pot), abi.encodeCall(PotDouble.give, (ITransfer(address(weth)), address(executor), amount)));
    }

    function oneGroup(bytes memory steps) internal view returns (Sequence memory sequence) {
        sequence.numeraire = address(weth);
        sequence.lastBlock = type(uint256).max;
        sequence.groups = new Group[](1);
        sequence.groups[0].steps = steps;
    }

    function tryExecute(Sequence memory sequence) internal returns (bool ok, bytes memory reason) {
        return address(executor).call(abi.encodeCall(IExecutor.execute, (sequence)));
    }
}
