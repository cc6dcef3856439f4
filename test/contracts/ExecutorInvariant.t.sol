// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {Group, IExecutor, Meter, Sequence} from "../../contracts/interfaces/IExecutor.sol";
import {CallbackDouble, ITransfer, ITransferFrom, PotDouble, SpenderDouble} from "./doubles/Callers.sol";
import {ReentrantTokenDouble, TokenDouble} from "./doubles/Tokens.sol";
import {Pack} from "./support/Pack.sol";
import {Scene} from "./support/Scene.sol";
import {bound, vm} from "./support/Vm.sol";

/// @notice Has the key of an operator and makes any sequences of it: payments, approvals, callbacks, reentrancy, in any order.
contract ThiefHandler {
    struct Prize {
        IExecutor executor;
        address weth;
        TokenDouble margin;
        ReentrantTokenDouble trap;
        PotDouble pot;
        CallbackDouble pool;
        SpenderDouble spender;
    }

    bytes4 internal constant SWAP = bytes4(keccak256("uniswapV3SwapCallback(int256,int256,bytes)"));

    Prize internal prize;
    uint256 public landed;

    constructor(Prize memory prize_) {
        prize = prize_;
    }

    /// @dev Up to three groups of up to four steps, picked by `seed`.
    function execute(uint256 seed, bool optional, bool inMargin, bool lossy) external {
        uint256 groups = bound(seed, 1, 3);
        Sequence memory sequence;
        sequence.numeraire = inMargin ? address(prize.margin) : prize.weth;
        sequence.minProfit = lossy ? -int256(seed % 1000) : int256(0);
        sequence.bidBps = inMargin ? 0 : seed % 10_001;
        sequence.lastBlock = type(uint256).max;
        sequence.sweep = new address[](2);
        (sequence.sweep[0], sequence.sweep[1]) = (address(prize.trap), address(prize.margin));
        sequence.groups = new Group[](groups);
        for (uint256 i; i < groups; ++i) {
            sequence.groups[i] = Group(optional, 3_000_000, -1e30, steps(random(seed, i), 0));
        }
        prize.trap.arm(address(prize.executor), abi.encodeCall(IExecutor.execute, (sequence)));
        (bool ok,) = address(prize.executor).call(abi.encodeCall(IExecutor.execute, (sequence)));
        if (ok) ++landed;
    }

    function random(uint256 seed, uint256 index) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, index)));
    }

    function steps(uint256 seed, uint256 depth) internal view returns (bytes memory packed) {
        for (uint256 i; i < seed % 5; ++i) packed = bytes.concat(packed, step(random(seed, i), depth));
    }

    function step(uint256 seed, uint256 depth) internal view returns (bytes memory) {
        Prize memory p = prize;
        // An approval by a plain call is always refused, so it comes rarely.
        uint256 choice = seed % 32 == 0 ? 13 : seed % 13;
        uint256 amount = seed / 32 % 256;
        address token = amount % 2 == 0 ? p.weth : address(p.margin);
        if (choice == 0) return Pack.call(token, abi.encodeCall(TokenDouble.transfer, (address(this), amount)));
        if (choice == 1) return Pack.approve(token, address(p.spender), amount);
        if (choice == 2) return Pack.approve(token, address(this), type(uint256).max);
        if (choice == 3) {
            bytes memory pull = abi.encodeCall(SpenderDouble.pull, (ITransferFrom(token), address(p.executor), amount));
            return Pack.call(address(p.spender), pull);
        }
        if (choice == 4) return giveBack(amount);
        if (choice == 5) return Pack.call(address(p.margin), abi.encodeCall(TokenDouble.mint, (address(p.executor), amount)));
        if (choice == 6) return Pack.call(p.weth, abi.encodeWithSignature("withdraw(uint256)", amount));
        if (choice == 7) return Pack.callWithValue(address(this), uint128(amount), "");
        if (choice == 8) return Pack.callWithValue(p.weth, uint128(amount), abi.encodeWithSignature("deposit()"));
        if (choice == 9) {
            bytes memory mint = Pack.call(address(p.trap), abi.encodeCall(TokenDouble.mint, (address(p.executor), amount)));
            bytes memory data = abi.encodeCall(TokenDouble.transfer, (address(this), 0));
            return bytes.concat(mint, Pack.patched(address(p.trap), address(p.trap), 36, data));
        }
        if (choice == 11) return Pack.patched(amount % 3 == 0 ? address(this) : p.weth, address(0), 0, abi.encodeWithSignature("deposit()"));
        if (choice == 12) {
            bytes memory look = abi.encodeCall(this.named, (amount));
            if (amount % 3 == 0) return Pack.looking(address(this), address(this), look, false, 0, "");
            bytes memory data = abi.encodeCall(TokenDouble.transfer, (address(this), 0));
            return Pack.looking(token, address(this), look, amount % 3 == 1, 36, data);
        }
        if (choice == 13) return Pack.call(token, abi.encodeCall(TokenDouble.approve, (address(this), amount)));
        if (depth == 2) return giveBack(amount);
        bytes memory payload = bytes.concat(steps(random(seed, 99), depth + 1), amount % 3 == 0 ? Pack.pay(token, 0) : bytes(""));
        bytes memory back = abi.encodeWithSelector(SWAP, int256(amount), int256(0), payload);
        return Pack.enter(address(p.pool), abi.encodeCall(CallbackDouble.callBack, (back)), SWAP, 2, payload);
    }

    /// @dev A view of the thief's making, for patches that look.
    function named(uint256 amount) external pure returns (uint256) {
        return amount;
    }

    function giveBack(uint256 amount) internal view returns (bytes memory) {
        bytes memory data = abi.encodeCall(PotDouble.give, (ITransfer(prize.weth), address(prize.executor), amount));
        return Pack.call(address(prize.pot), data);
    }

    /// @dev What was approved to the thief and outlasted its sequence would be taken here.
    function takeLeftovers() external {
        for (uint256 i; i < 2; ++i) {
            ITransferFrom token = ITransferFrom(i == 0 ? prize.weth : address(prize.margin));
            try token.transferFrom(address(prize.executor), address(this), 1) {} catch {}
            try prize.spender.pull(token, address(prize.executor), 1) {} catch {}
        }
    }

    /// @dev A callback that was announced and outlasted its sequence would get in here.
    function callBackLate(uint256 amount) external {
        bytes memory payload = Pack.pay(prize.weth, 0);
        try prize.pool.callBackTo(address(prize.executor), abi.encodeWithSelector(SWAP, amount, 0, payload)) {} catch {}
    }

    function deposit() external payable {}

    receive() external payable {}
}

contract ExecutorInvariantTest is Scene {
    uint256 internal constant KEPT = 10_000;

    ThiefHandler internal thief;
    SpenderDouble internal spender;
    ReentrantTokenDouble internal trap;

    function setUp() public override {
        super.setUp();
        spender = new SpenderDouble();
        trap = new ReentrantTokenDouble();
        executor.register(address(other), new Meter[](0));
        fillPot(1e30);
        pot.give(ITransfer(address(weth)), address(executor), KEPT);
        other.mint(address(executor), KEPT);
        vm.deal(address(executor), KEPT);

        ThiefHandler.Prize memory prize = ThiefHandler.Prize(executor, address(weth), other, trap, pot, pool, spender);
        thief = new ThiefHandler(prize);
        executor.setOperator(address(thief), true);
        executor.setOperator(address(trap), true);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(thief);
    }

    /// @dev The invariants would hold of sequences that never go through.
    function test_TheThiefGetsSequencesThrough() public {
        for (uint256 seed; seed < 200; ++seed) thief.execute(uint256(keccak256(abi.encode(seed))), seed % 2 == 0, seed % 3 == 0, false);
        assert(thief.landed() >= 20);
        invariant_NothingKeptIsTaken();
        invariant_NoApprovalOutlastsItsSequence();
        invariant_NobodyReenters();
    }

    function invariant_NothingKeptIsTaken() public view {
        assert(weth.balanceOf(address(executor)) >= KEPT);
        assert(other.balanceOf(address(executor)) >= KEPT);
        assert(address(executor).balance >= KEPT);
    }

    function invariant_NoApprovalOutlastsItsSequence() public view {
        address[2] memory spenders = [address(spender), address(thief)];
        for (uint256 i; i < spenders.length; ++i) {
            assert(weth.allowance(address(executor), spenders[i]) == 0);
            assert(other.allowance(address(executor), spenders[i]) == 0);
        }
    }

    function invariant_NobodyReenters() public view {
        assert(trap.successes() == 0);
        assert(executor.owner() == address(this) && executor.treasury() == TREASURY);
    }
}
