// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// Stands in for the OP Stack's predeploy: the same functions, prices that a test sets. The genuine one compresses the data first.
contract GasPriceOracleDouble {
    uint256 public weiPerByte;
    uint256 public operatorWeiPerGas;
    uint256 public operatorWei;

    function set(uint256 weiPerByte_, uint256 operatorWeiPerGas_, uint256 operatorWei_) external {
        weiPerByte = weiPerByte_;
        operatorWeiPerGas = operatorWeiPerGas_;
        operatorWei = operatorWei_;
    }

    function getL1Fee(bytes memory data) external view returns (uint256) {
        return data.length * weiPerByte;
    }

    function getOperatorFee(uint256 gasUsed) external view returns (uint256) {
        return gasUsed * operatorWeiPerGas + operatorWei;
    }
}

/// The same before Isthmus: there is no operator fee to ask for.
contract FjordGasPriceOracleDouble {
    function getL1Fee(bytes memory data) external pure returns (uint256) {
        return data.length * 7;
    }
}

/// Stands in for what an Arbitrum node answers at 0xc8.
contract NodeInterfaceDouble {
    uint64 public gasPerByte;

    function set(uint64 gasPerByte_) external {
        gasPerByte = gasPerByte_;
    }

    function gasEstimateL1Component(address, bool, bytes calldata data)
        external
        payable
        returns (uint64 gasEstimateForL1, uint256 baseFee, uint256 l1BaseFeeEstimate)
    {
        return (uint64(data.length) * gasPerByte, block.basefee, 1 gwei);
    }
}
