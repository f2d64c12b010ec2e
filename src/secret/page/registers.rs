//! Vector registers, where ciphers and copies work, and where a key stays after them: a thread that waits keeps them for as
//! long as it waits, and nothing that belongs to other crates clears them.
//!
//! The general registers need nothing of the kind: the code that goes on uses them all.

/// Clears the vector registers that code which has returned may have left something in. Nothing on other processors than
/// x86-64 and AArch64.
pub(in crate::secret) fn wipe() {
    #[cfg(target_arch = "x86_64")]
    x86_64();
    #[cfg(target_arch = "aarch64")]
    aarch64();
}

#[cfg(target_arch = "x86_64")]
fn x86_64() {
    use std::arch::{asm, is_x86_feature_detected};
    // SAFETY: the registers are declared as overwritten, so the compiler keeps nothing in them; nothing else is touched.
    unsafe {
        asm!(
            "pxor xmm0, xmm0", "pxor xmm1, xmm1", "pxor xmm2, xmm2", "pxor xmm3, xmm3",
            "pxor xmm4, xmm4", "pxor xmm5, xmm5", "pxor xmm6, xmm6", "pxor xmm7, xmm7",
            "pxor xmm8, xmm8", "pxor xmm9, xmm9", "pxor xmm10, xmm10", "pxor xmm11, xmm11",
            "pxor xmm12, xmm12", "pxor xmm13, xmm13", "pxor xmm14, xmm14", "pxor xmm15, xmm15",
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
            out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
            out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
            out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
            options(nomem, nostack, preserves_flags),
        );
    }
    if is_x86_feature_detected!("avx") {
        // The upper halves too.
        // SAFETY: as above, and the processor has the instruction.
        unsafe {
            asm!(
                "vzeroall",
                out("ymm0") _, out("ymm1") _, out("ymm2") _, out("ymm3") _,
                out("ymm4") _, out("ymm5") _, out("ymm6") _, out("ymm7") _,
                out("ymm8") _, out("ymm9") _, out("ymm10") _, out("ymm11") _,
                out("ymm12") _, out("ymm13") _, out("ymm14") _, out("ymm15") _,
                options(nomem, nostack, preserves_flags),
            );
        }
    }
    if is_x86_feature_detected!("avx512f") {
        // glibc copies through these where there are any.
        // SAFETY: as above.
        unsafe {
            asm!(
                "vpxorq zmm16, zmm16, zmm16", "vpxorq zmm17, zmm17, zmm17",
                "vpxorq zmm18, zmm18, zmm18", "vpxorq zmm19, zmm19, zmm19",
                "vpxorq zmm20, zmm20, zmm20", "vpxorq zmm21, zmm21, zmm21",
                "vpxorq zmm22, zmm22, zmm22", "vpxorq zmm23, zmm23, zmm23",
                "vpxorq zmm24, zmm24, zmm24", "vpxorq zmm25, zmm25, zmm25",
                "vpxorq zmm26, zmm26, zmm26", "vpxorq zmm27, zmm27, zmm27",
                "vpxorq zmm28, zmm28, zmm28", "vpxorq zmm29, zmm29, zmm29",
                "vpxorq zmm30, zmm30, zmm30", "vpxorq zmm31, zmm31, zmm31",
                out("zmm16") _, out("zmm17") _, out("zmm18") _, out("zmm19") _,
                out("zmm20") _, out("zmm21") _, out("zmm22") _, out("zmm23") _,
                out("zmm24") _, out("zmm25") _, out("zmm26") _, out("zmm27") _,
                out("zmm28") _, out("zmm29") _, out("zmm30") _, out("zmm31") _,
                options(nomem, nostack, preserves_flags),
            );
        }
    }
}

#[cfg(target_arch = "aarch64")]
fn aarch64() {
    use std::arch::asm;
    // SAFETY: the registers are declared as overwritten, so the compiler keeps nothing in them; nothing else is touched.
    unsafe {
        asm!(
            "movi v0.2d, #0", "movi v1.2d, #0", "movi v2.2d, #0", "movi v3.2d, #0",
            "movi v4.2d, #0", "movi v5.2d, #0", "movi v6.2d, #0", "movi v7.2d, #0",
            "movi v8.2d, #0", "movi v9.2d, #0", "movi v10.2d, #0", "movi v11.2d, #0",
            "movi v12.2d, #0", "movi v13.2d, #0", "movi v14.2d, #0", "movi v15.2d, #0",
            "movi v16.2d, #0", "movi v17.2d, #0", "movi v18.2d, #0", "movi v19.2d, #0",
            "movi v20.2d, #0", "movi v21.2d, #0", "movi v22.2d, #0", "movi v23.2d, #0",
            "movi v24.2d, #0", "movi v25.2d, #0", "movi v26.2d, #0", "movi v27.2d, #0",
            "movi v28.2d, #0", "movi v29.2d, #0", "movi v30.2d, #0", "movi v31.2d, #0",
            out("v0") _, out("v1") _, out("v2") _, out("v3") _,
            out("v4") _, out("v5") _, out("v6") _, out("v7") _,
            out("v8") _, out("v9") _, out("v10") _, out("v11") _,
            out("v12") _, out("v13") _, out("v14") _, out("v15") _,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _,
            out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            out("v24") _, out("v25") _, out("v26") _, out("v27") _,
            out("v28") _, out("v29") _, out("v30") _, out("v31") _,
            options(nomem, nostack, preserves_flags),
        );
    }
}
