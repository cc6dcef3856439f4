// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {Group, IExecutor, Meter, Sequence} from "../../contracts/interfaces/IExecutor.sol";
import {LastingRights} from "../../contracts/libraries/LastingRights.sol";
import {CallbackDouble, ITransfer, MeterDouble, PotDouble} from "./doubles/Callers.sol";
import {AnyTargetDouble} from "./doubles/Tokens.sol";
import {Pack} from "./support/Pack.sol";
import {Scene} from "./support/Scene.sol";
import {bound, vm} from "./support/Vm.sol";

contract ExecutorTest is Scene {
    address internal constant BUILDER = address(0xb111d);
    uint256 internal constant MOST = 1e30;

    /// @dev Every wei of the gross is accounted for, and the minimum holds to the wei.
    function testFuzz_SettlesToTheWei(uint256 kept, uint256 gross, uint256 gasCost, uint256 bidBps, int256 minProfit)
        public
    {
        (kept, gross, gasCost) = (bound(kept, 0, MOST), bound(gross, 0, MOST), bound(gasCost, 0, MOST));
        bidBps = bound(bidBps, 0, 10_000);
        minProfit = int256(bound(uint256(minProfit), 0, 2 * MOST)) - int256(MOST);
        fillPot(kept + gross);
        pot.give(ITransfer(address(weth)), address(executor), kept);
        vm.coinbase(BUILDER);

        Sequence memory sequence = oneGroup(give(gross));
        (sequence.gasCost, sequence.bidBps, sequence.minProfit) = (gasCost, bidBps, minProfit);
        (bool ok, bytes memory reason) = tryExecute(sequence);

        uint256 bid = gross > gasCost ? (gross - gasCost) * bidBps / 10_000 : 0;
        int256 profit = int256(gross - bid);
        if (profit < minProfit) {
            bytes memory expected = abi.encodeWithSelector(IExecutor.InsufficientProfit.selector, profit, minProfit);
            assert(!ok && keccak256(reason) == keccak256(expected));
            assert(BUILDER.balance == 0 && weth.balanceOf(TREASURY) == 0);
            return;
        }
        assert(ok);
        assert(BUILDER.balance == bid);
        assert(weth.balanceOf(TREASURY) == gross - bid);
        assert(weth.balanceOf(address(executor)) == kept);
    }

    /// @dev Any loss at all needs an allowance that covers it, which is spent by exactly that.
    function testFuzz_LosesNoMoreThanAllowed(uint256 kept, uint256 loss, uint256 allowed) public {
        kept = bound(kept, 1, MOST);
        loss = bound(loss, 1, kept);
        allowed = bound(allowed, 0, MOST);
        fillPot(kept);
        pot.give(ITransfer(address(weth)), address(executor), kept);
        executor.allowLoss(address(weth), allowed);

        bytes memory data = abi.encodeCall(weth.transfer, (address(this), loss));
        Sequence memory sequence = oneGroup(Pack.call(address(weth), data));
        (sequence.minProfit, sequence.groups[0].minProfit) = (-int256(loss), -int256(loss));
        (bool ok,) = tryExecute(sequence);

        assert(ok == (loss <= allowed));
        assert(executor.lossAllowance(address(weth)) == (ok ? allowed - loss : allowed));
        assert(weth.balanceOf(address(executor)) == (ok ? kept - loss : kept));
    }

    /// @dev Of any mix of groups, exactly those that fail are undone.
    function testFuzz_OptionalGroupsStandAlone(uint256 failing, uint8 count) public {
        count = uint8(bound(count, 1, 12));
        fillPot(1 << count);
        Sequence memory sequence = oneGroup("");
        sequence.groups = new Group[](count);
        uint256 expected;
        for (uint256 i; i < count; ++i) {
            bool fails = failing >> i & 1 == 1;
            bytes memory end = fails ? Pack.call(address(pot), abi.encodeCall(PotDouble.revertWith, (i * 100))) : bytes("");
            sequence.groups[i] = Group(true, 0, 0, bytes.concat(give(1 << i), end));
            if (!fails) expected += 1 << i;
        }
        (bool ok,) = tryExecute(sequence);
        assert(ok);
        assert(weth.balanceOf(TREASURY) == expected);
    }

    /// @dev Meters count in the asset's units, each divided on its own, and a meter may be negative.
    function testFuzz_SumsTheMeters(int128 start, int128 end, uint64 divisor, uint96 gain) public {
        vm.assume(divisor != 0);
        MeterDouble meter = new MeterDouble();
        Meter[] memory meters = new Meter[](1);
        meters[0] = Meter(address(meter), divisor, abi.encodeCall(meter.value, ()));
        meter.set(start);
        executor.register(address(weth), meters);
        fillPot(gain);

        bytes memory move = Pack.call(address(meter), abi.encodeCall(MeterDouble.set, (end)));
        Sequence memory sequence = oneGroup(bytes.concat(give(gain), move));
        int256 d = int256(uint256(divisor));
        int256 profit = int256(uint256(gain)) + int256(end) / d - int256(start) / d;
        sequence.minProfit = type(int256).min;
        sequence.groups[0].minProfit = type(int256).min;
        (bool ok,) = tryExecute(sequence);

        assert(ok == (profit >= 0));
        uint256 swept = profit < 0 ? 0 : uint256(profit) < gain ? uint256(profit) : gain;
        assert(weth.balanceOf(TREASURY) == (ok ? swept : 0));
    }

    /// @dev The gain lands in the word that was named, and nothing else changes.
    function testFuzz_PatchesOneWord(bytes memory data, uint24 offset, uint128 gain) public {
        data = bytes.concat(data, new bytes(36));
        vm.assume(!LastingRights.given(bytes4(data)));
        offset = uint24(bound(offset, 4, data.length - 32));
        AnyTargetDouble target = new AnyTargetDouble();
        fillPot(gain);
        (bool ok,) =
            tryExecute(oneGroup(bytes.concat(give(gain), Pack.patched(address(target), address(weth), offset, data))));
        assert(ok);
        bytes memory expected = data;
        uint256 word = gain;
        assembly ("memory-safe") {
            mstore(add(add(expected, 32), offset), word)
        }
        assert(keccak256(target.last()) == keccak256(expected));
    }

    /// @dev What a view answers lands in the word that was named, as it is or negated, whatever the view's argument.
    function testFuzz_PatchesWhatAViewAnswers(bytes memory data, uint24 offset, int256 answer, bool negated) public {
        vm.assume(answer != type(int256).min);
        data = bytes.concat(data, new bytes(36));
        vm.assume(!LastingRights.given(bytes4(data)));
        offset = uint24(bound(offset, 4, data.length - 32));
        MeterDouble meter = new MeterDouble();
        meter.set(answer);
        AnyTargetDouble target = new AnyTargetDouble();
        bytes memory look = abi.encodeWithSelector(meter.value.selector, uint256(uint24(offset)));
        bytes memory step = Pack.looking(address(target), address(meter), look, negated, offset, data);
        (bool ok,) = tryExecute(oneGroup(step));
        assert(ok);
        if (negated) answer = -answer;
        assembly ("memory-safe") {
            mstore(add(add(data, 32), offset), answer)
        }
        assert(keccak256(target.last()) == keccak256(data));
    }

    /// @dev Of native tokens only what was gained goes out, however many were there.
    function testFuzz_PatchesTheValueWithTheNativeGain(uint96 kept, uint96 gain) public {
        fillPot(gain);
        vm.deal(address(executor), kept);
        bytes memory withdraw = Pack.call(address(weth), abi.encodeCall(weth.withdraw, (gain)));
        bytes memory deposit = Pack.patched(address(weth), address(0), 0, abi.encodeCall(weth.deposit, ()));
        Sequence memory sequence = oneGroup(bytes.concat(give(gain), withdraw, deposit));
        sequence.minProfit = int256(uint256(gain));
        (bool ok,) = tryExecute(sequence);
        assert(ok);
        assert(address(executor).balance == kept);
        assert(weth.balanceOf(TREASURY) == gain);
    }

    /// @dev A view names any value, and still no native token that was kept is lost.
    function testFuzz_AViewTakesNoNativeThatIsKept(uint96 kept, int256 named, bool negated) public {
        vm.deal(address(executor), kept);
        MeterDouble meter = new MeterDouble();
        meter.set(named);
        bytes memory look = abi.encodeWithSelector(meter.value.selector, uint256(0));
        (bool ok,) = tryExecute(oneGroup(Pack.looking(address(0xdead), address(meter), look, negated, 0, "")));
        assert(ok == (named == 0));
        assert(address(executor).balance == kept);
    }

    /// @dev A view that reverts, or answers less than a word, stops the step; an effect in it is impossible.
    function testFuzz_AFailedLookStopsTheStep(uint256 argument) public {
        bytes[3] memory looks;
        looks[0] = abi.encodeWithSelector(PotDouble.revertWith.selector, argument % 100);
        looks[1] = abi.encodeWithSelector(bytes4(0xdeadbeef), argument);
        looks[2] = abi.encodeWithSelector(MeterDouble.set.selector, argument);
        address[3] memory views = [address(pot), address(0xdead), address(new MeterDouble())];
        for (uint256 i; i < looks.length; ++i) {
            bytes memory step = Pack.looking(address(pool), views[i], looks[i], false, 4, new bytes(36));
            (bool ok, bytes memory reason) = tryExecute(oneGroup(step));
            assert(!ok && keccak256(reason) == keccak256(abi.encodeWithSelector(IExecutor.LookFailed.selector, 0)));
        }
    }

    /// @dev Bytes that are no steps do no harm.
    function testFuzz_GarbageStepsTakeNothing(bytes memory steps) public {
        fillPot(100);
        pot.give(ITransfer(address(weth)), address(executor), 100);
        tryExecute(oneGroup(steps));
        assert(weth.balanceOf(address(executor)) == 100);
    }

    /// @dev Nobody gets a callback in from outside.
    function testFuzz_NoCallbackOutsideASequence(address caller, bytes4 selector, bytes memory arguments) public {
        vm.assume(caller != address(this));
        bytes memory data = abi.encodePacked(selector, arguments);
        uint256 before = weth.balanceOf(address(executor));
        address owner = executor.owner();
        vm.prank(caller);
        (bool ok,) = address(executor).call(abi.encodePacked(SWAP, arguments));
        assert(!ok);
        vm.prank(caller);
        (ok,) = address(executor).call(data);
        assert(executor.owner() == owner && weth.balanceOf(address(executor)) == before && !executor.isOperator(caller));
    }

    /// @dev Within an Enter only the announced bytes get in, wherever garbage puts its offsets.
    function testFuzz_NoGarbageCallback(bytes memory arguments, bytes memory payload) public {
        bytes memory data = abi.encodeCall(CallbackDouble.callBack, (abi.encodePacked(SWAP, arguments)));
        bytes memory secret = abi.encodePacked("not in the arguments", payload);
        (bool ok,) = tryExecute(oneGroup(Pack.enter(address(pool), data, SWAP, 2, secret)));
        assert(!ok);
    }

    /// @dev Whatever head and length a callback's caller writes, it is read within the calldata or refused by name.
    function testFuzz_BytesArgumentStaysInside(uint256 offset, uint256 length, uint8 words) public {
        words = uint8(bound(words, 0, 8));
        offset = offset % 2 == 0 ? bound(offset, 0, 400) : offset;
        length = length % 2 == 0 ? bound(length, 0, 400) : length;
        bytes memory arguments = abi.encodePacked(uint256(0), uint256(0), offset, length, new bytes(32 * uint256(words)));
        bytes memory data = abi.encodeCall(CallbackDouble.callBack, (abi.encodePacked(SWAP, arguments)));
        (bool ok, bytes memory reason) = tryExecute(oneGroup(Pack.enter(address(pool), data, SWAP, 2, "")));

        uint256 at;
        bool inside = offset <= arguments.length && offset + 32 <= arguments.length;
        if (inside) {
            assembly ("memory-safe") {
                at := mload(add(add(arguments, 32), offset))
            }
            inside = at <= arguments.length - offset - 32;
        }
        // The empty payload is what was announced: a length of 0 gets in, another is refused for its hash or its bounds.
        if (inside && at == 0) assert(ok);
        else assert(!ok && inner(reason) == (inside ? IExecutor.UnexpectedPayload.selector : IExecutor.MalformedCallback.selector));
    }

    /// @dev Transient words outlast a sequence, but not to the next one's harm: the whole test is one transaction.
    function test_SequencesInOneTransactionDoNotMeet() public {
        executor.register(address(other), new Meter[](0));
        other.mint(address(executor), 100);
        bytes memory approve = Pack.approve(address(other), address(pool), 5);
        executor.execute(oneGroup(approve));
        executor.execute(oneGroup(bytes.concat(approve, approve)));

        // Once it is unregistered, its gain is its whole balance.
        executor.unregister(address(other));
        bytes memory data = abi.encodeCall(other.transfer, (address(this), 1));
        executor.execute(oneGroup(Pack.patched(address(other), address(other), 36, data)));
        assert(other.balanceOf(address(this)) == 100);
        assert(other.allowance(address(executor), address(pool)) == 0);
    }

    function testFuzz_ExpiresAfterItsLastBlock(uint64 lastBlock, uint64 number) public {
        vm.roll(number);
        Sequence memory sequence = oneGroup("");
        sequence.lastBlock = lastBlock;
        (bool ok,) = tryExecute(sequence);
        assert(ok == (number <= lastBlock));
    }

    function testFuzz_OnlyOperatorsExecute(address caller) public {
        vm.assume(caller != address(this));
        vm.prank(caller);
        vm.expectRevert(abi.encodePacked(IExecutor.NotOperator.selector));
        executor.execute(oneGroup(""));
    }

    /// @dev The selector of the reason within a StepFailed.
    function inner(bytes memory stepFailed) internal pure returns (bytes4 selector) {
        assert(bytes4(stepFailed) == IExecutor.StepFailed.selector);
        assembly ("memory-safe") {
            selector := mload(add(stepFailed, 132))
        }
    }
}
