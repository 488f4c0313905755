// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title What every Groth16 verifier over BN254 shares: refusals, checks of the proof's points, and the precompiles
/// @dev A proof is the 256 bytes A.x A.y B.x.c1 B.x.c0 B.y.c1 B.y.c0 C.x C.y, the order of EIP-197.
///
/// What is checked, and by whom:
/// - here: every coordinate is below the base field's modulus and every signal below the scalar field's, nothing is
///   reduced; A, C are on the curve and B on its twist; none is at infinity. Each has its own refusal.
/// - by the pairing precompile (EIP-197): B is in the subgroup of order r. A and C need no such check, since the curve
///   itself has that order.
/// - by nobody: that a proof was not seen before. Whoever holds one proof can make others of the same statement
///   (A·t, B/t; or B + s·δ with C + s·A), so never treat a proof's bytes, or their hash, as an identity: pay a
///   delivery once, whatever proof it comes with.
///
/// A precompile that refuses its input takes all the gas that was given to it, and the chain does not say whether it
/// refused or was short of gas. Therefore that is a revert, never a `False`: too little gas cannot turn a valid proof
/// into a false one. After the checks here it means that B is outside its subgroup, that the gas was too little, or
/// that this chain lacks the precompile. Whoever verifies proofs of others besides other work in one transaction sets
/// a limit of gas on the call.
abstract contract Groth16 {
    /// @notice Why a proof is refused. `False`: well formed, and the equation does not hold.
    enum Refusal {
        None,
        NonCanonical,
        Infinity,
        OffCurve,
        False
    }

    error NonCanonical();
    error Infinity();
    error OffCurve();
    error ProofFalse();
    error PrecompileRefused();

    /// @dev The modulus of the field that coordinates are in.
    uint256 internal constant BASE_MODULUS = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;
    /// @dev The order of the groups, which is the modulus of the field that signals are in.
    uint256 internal constant SCALAR_MODULUS = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;

    /// @dev The twist is y² = x³ + 3 / (9 + i).
    uint256 private constant TWIST_REAL = 0x2b149d40ceb8aaae81be18991be06ac3b5b4c5e559dbefa33267e6dc24a138e5;
    uint256 private constant TWIST_IMAGINARY = 0x009713b03af0fed4cd2cafadeed8fdf4a74fa084e52d1852e4a2bd0685c315d2;

    /// @dev Reverts with the refusal's name.
    function _requireNone(Refusal refusal) internal pure {
        if (refusal == Refusal.None) return;
        if (refusal == Refusal.NonCanonical) revert NonCanonical();
        if (refusal == Refusal.Infinity) revert Infinity();
        if (refusal == Refusal.OffCurve) revert OffCurve();
        revert ProofFalse();
    }

    /// @dev What can be said of the proof's points without a precompile: `None`, `NonCanonical`, `Infinity`, `OffCurve`.
    function _refusalOfPoints(uint256[8] calldata proof) internal pure returns (Refusal) {
        bool isCanonical;
        assembly ("memory-safe") {
            isCanonical := and(
                and(
                    and(lt(calldataload(proof), BASE_MODULUS), lt(calldataload(add(proof, 0x20)), BASE_MODULUS)),
                    and(
                        lt(calldataload(add(proof, 0x40)), BASE_MODULUS),
                        lt(calldataload(add(proof, 0x60)), BASE_MODULUS)
                    )
                ),
                and(
                    and(
                        lt(calldataload(add(proof, 0x80)), BASE_MODULUS),
                        lt(calldataload(add(proof, 0xa0)), BASE_MODULUS)
                    ),
                    and(
                        lt(calldataload(add(proof, 0xc0)), BASE_MODULUS),
                        lt(calldataload(add(proof, 0xe0)), BASE_MODULUS)
                    )
                )
            )
        }
        if (!isCanonical) return Refusal.NonCanonical;
        if (_isOnCurve(proof[0], proof[1]) && _isOnTwist(proof) && _isOnCurve(proof[6], proof[7])) return Refusal.None;
        // Infinity is written as zeros, which are on neither curve, so valid proofs need not be asked.
        if (proof[0] | proof[1] == 0 || proof[2] | proof[3] | proof[4] | proof[5] == 0 || proof[6] | proof[7] == 0) {
            return Refusal.Infinity;
        }
        return Refusal.OffCurve;
    }

    /// @dev y² = x³ + 3
    function _isOnCurve(uint256 x, uint256 y) private pure returns (bool isOn) {
        assembly ("memory-safe") {
            isOn := eq(
                mulmod(y, y, BASE_MODULUS),
                addmod(mulmod(mulmod(x, x, BASE_MODULUS), x, BASE_MODULUS), 3, BASE_MODULUS)
            )
        }
    }

    /// @dev y² = x³ + 3 / (9 + i) for the proof's B, whose imaginary parts come first.
    function _isOnTwist(uint256[8] calldata proof) private pure returns (bool isOn) {
        assembly ("memory-safe") {
            let xi := calldataload(add(proof, 0x40))
            let xr := calldataload(add(proof, 0x60))
            let yi := calldataload(add(proof, 0x80))
            let yr := calldataload(add(proof, 0xa0))
            // x² = (xr + xi)(xr − xi) + 2·xr·xi·i
            let sr := mulmod(add(xr, xi), add(xr, sub(BASE_MODULUS, xi)), BASE_MODULUS)
            let si := mulmod(add(xr, xr), xi, BASE_MODULUS)
            // The real part of y² − x³ − 3 / (9 + i), then the imaginary one. Canonical values leave two bits of a word
            // free, so sums of up to four need no reduction before the next product.
            isOn := eq(
                addmod(
                    mulmod(add(yr, yi), add(yr, sub(BASE_MODULUS, yi)), BASE_MODULUS),
                    mulmod(si, xi, BASE_MODULUS),
                    BASE_MODULUS
                ),
                addmod(mulmod(sr, xr, BASE_MODULUS), TWIST_REAL, BASE_MODULUS)
            )
            isOn := and(
                isOn,
                eq(
                    mulmod(add(yr, yr), yi, BASE_MODULUS),
                    addmod(
                        add(mulmod(sr, xi, BASE_MODULUS), mulmod(si, xr, BASE_MODULUS)), TWIST_IMAGINARY, BASE_MODULUS
                    )
                )
            )
        }
    }
}
