// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {WETH9} from "@aave-dao/aave-v3-origin/src/contracts/dependencies/weth/WETH9.sol";
import {Group, IExecutor, Meter, Sequence} from "../../contracts/interfaces/IExecutor.sol";
import {ITransfer, PotDouble} from "./doubles/Callers.sol";
import {TokenDouble} from "./doubles/Tokens.sol";
import {Pack} from "./support/Pack.sol";
import {Scene} from "./support/Scene.sol";
import {bound, vm} from "./support/Vm.sol";

/// @notice Somebody with an address of its own.
contract Somebody {
    function tryCall(address target, uint256 value, bytes calldata data) external returns (bool ok) {
        (ok,) = target.call{value: value}(data);
    }

    receive() external payable {}
}

/// @notice Owns the Executor; has an operator that comes and goes and steals when it can, and a stranger that tries everything. Counts what should not have been.
contract PowersHandler {
    struct Prize {
        IExecutor executor;
        WETH9 weth;
        TokenDouble other;
        PotDouble pot;
        address treasury;
        address secondTreasury;
    }

    bytes4 internal constant SWAP = bytes4(keccak256("uniswapV3SwapCallback(int256,int256,bytes)"));

    Prize internal prize;
    Somebody public immutable stranger = new Somebody();
    Somebody public immutable operator = new Somebody();

    uint256 public landed;
    uint256 public withdrawn;
    uint256 public refused;
    /// @dev The names of what should not have been, one after another.
    string public broken;

    constructor(Prize memory prize_) payable {
        prize = prize_;
        payable(address(stranger)).transfer(msg.value);
    }

    function own() external {
        prize.executor.acceptOwnership();
    }

    receive() external payable {}

    /* THE OWNER */

    function setOperator(bool allowed) external {
        prize.executor.setOperator(address(operator), allowed);
    }

    function setTreasury(bool second) external {
        prize.executor.setTreasury(second ? prize.secondTreasury : prize.treasury);
    }

    function withdraw(uint256 asset, uint256 recipient, uint256 amount) external {
        Prize memory p = prize;
        address token = [address(0), address(p.weth), address(p.other)][asset % 3];
        address to = [address(this), p.executor.treasury(), address(stranger), address(operator), address(p.pot), address(p.executor)][recipient % 6];
        try p.executor.withdraw(token, to, bound(amount, 0, 1_000)) {
            ++withdrawn;
            if (to != address(this) && to != p.executor.treasury()) note("a withdrawal to somebody else");
        } catch {}
    }

    /* ITS OPERATOR */

    function earn(uint256 amount) external {
        amount = bound(amount, 0, 1_000);
        bytes memory give = abi.encodeCall(PotDouble.give, (ITransfer(address(prize.weth)), address(prize.executor), amount));
        bool ok = operator.tryCall(address(prize.executor), 0, sequence(Pack.call(address(prize.pot), give)));
        if (ok) ++landed;
        bool may = prize.executor.isOperator(address(operator));
        if (ok && !may) note("a revoked operator executes");
        if (!ok && may) note("an operator cannot execute");
    }

    function steal(uint256 amount, bool toStranger) external {
        address to = toStranger ? address(stranger) : address(operator);
        bytes memory take = abi.encodeCall(TokenDouble.transfer, (to, bound(amount, 1, 1_000)));
        if (operator.tryCall(address(prize.executor), 0, sequence(Pack.call(address(prize.weth), take)))) note("a theft");
        if (operator.tryCall(address(prize.executor), 0, sequence(Pack.callWithValue(to, uint128(bound(amount, 1, 1_000)), "")))) note("a theft of native tokens");
        bytes memory call = strangersCall(amount % 8, amount);
        if (operator.tryCall(address(prize.executor), 0, call)) note("an owner function by an operator");
    }

    /* STRANGERS */

    function tryEverything(uint256 choice, uint256 amount) external {
        bytes memory data = choice % 11 == 10 ? sequence("") : strangersCall(choice % 11, amount);
        if (stranger.tryCall(address(prize.executor), 0, data)) note("a stranger gets in");
        else ++refused;
    }

    function tryAnything(bytes calldata data) external {
        IExecutor before = prize.executor;
        stranger.tryCall(address(before), 0, data);
    }

    function sendNative(uint256 amount, bytes calldata data) external {
        if (stranger.tryCall(address(prize.executor), bound(amount, 1, 1_000), data)) note("native tokens from outside");
    }

    /// @dev 0 to 7 are the owner's.
    function strangersCall(uint256 choice, uint256 amount) internal view returns (bytes memory) {
        Prize memory p = prize;
        address me = address(stranger);
        if (choice == 0) return abi.encodeCall(IExecutor.transferOwnership, (me));
        if (choice == 1) return abi.encodeCall(IExecutor.acceptOwnership, ());
        if (choice == 2) return abi.encodeCall(IExecutor.setOperator, (me, true));
        if (choice == 3) return abi.encodeCall(IExecutor.setTreasury, (me));
        if (choice == 4) return abi.encodeCall(IExecutor.register, (me, new Meter[](0)));
        if (choice == 5) return abi.encodeCall(IExecutor.unregister, (address(p.weth)));
        if (choice == 6) return abi.encodeCall(IExecutor.allowLoss, (address(p.weth), amount));
        if (choice == 7) return abi.encodeCall(IExecutor.withdraw, (address(p.weth), p.treasury, amount % 100));
        if (choice == 8) {
            bytes memory take = Pack.call(address(p.weth), abi.encodeCall(TokenDouble.transfer, (me, amount % 100)));
            return abi.encodeWithSignature("runGroup((address,bool),int256,int256,bytes)", address(p.weth), false, int256(0), type(int256).min, take);
        }
        return abi.encodeWithSelector(SWAP, int256(amount), int256(0), Pack.pay(address(p.weth), 0));
    }

    function sequence(bytes memory steps) internal view returns (bytes memory) {
        Sequence memory made;
        made.numeraire = address(prize.weth);
        made.lastBlock = type(uint256).max;
        made.groups = new Group[](1);
        made.groups[0].steps = steps;
        return abi.encodeCall(IExecutor.execute, (made));
    }

    function note(string memory what) internal {
        if (bytes(broken).length < 500) broken = string.concat(broken, what, "; ");
    }
}

contract ExecutorPowersTest is Scene {
    uint256 internal constant KEPT = 1e24;
    address internal constant SECOND_TREASURY = address(0x7eA52);

    PowersHandler internal handler;

    function setUp() public override {
        super.setUp();
        executor.register(address(other), new Meter[](0));
        fillPot(2 * KEPT);
        pot.give(ITransfer(address(weth)), address(executor), KEPT);
        other.mint(address(executor), KEPT);
        vm.deal(address(executor), KEPT);
        vm.deal(address(this), KEPT);
        handler = new PowersHandler{value: KEPT}(PowersHandler.Prize(executor, weth, other, pot, TREASURY, SECOND_TREASURY));
        executor.transferOwnership(address(handler));
        handler.own();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev The invariants would hold of a handler that does nothing.
    function test_EveryPowerIsTried() public {
        handler.setOperator(true);
        for (uint256 i; i < 66; ++i) {
            handler.withdraw(i, i, i);
            handler.earn(i);
            handler.steal(i, i % 2 == 0);
            handler.tryEverything(i, i);
            handler.sendNative(i, "");
            if (i == 33) handler.setOperator(false);
        }
        assert(handler.landed() == 34 && handler.withdrawn() == 22 && handler.refused() == 66);
        invariant_NothingHappensThatShouldNot();
        invariant_EveryWeiIsWhereItMayBe();
    }

    function invariant_NothingHappensThatShouldNot() public view {
        require(bytes(handler.broken()).length == 0, handler.broken());
        assert(executor.owner() == address(handler) && executor.pendingOwner() == address(0));
        assert(!executor.isOperator(address(handler.stranger())));
        assert(executor.lossAllowance(address(weth)) == 0 && executor.assets().length == 2);
    }

    /// @dev With the Executor, its owner, its treasuries, and what nobody earned yet with the pot; with nobody else.
    function invariant_EveryWeiIsWhereItMayBe() public view {
        address[4] memory may = [address(executor), address(handler), TREASURY, SECOND_TREASURY];
        uint256 wrapped = weth.balanceOf(address(pot));
        uint256 others;
        uint256 native;
        for (uint256 i; i < may.length; ++i) {
            wrapped += weth.balanceOf(may[i]);
            others += other.balanceOf(may[i]);
            native += may[i].balance;
        }
        require(wrapped == 2 * KEPT, "wrapped");
        require(others == KEPT, "others");
        require(native == KEPT, "native");
    }
}
