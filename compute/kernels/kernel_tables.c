/* kernel_tables.c — the tables of this folder's kernels, one row per kernel level. */
#include "compute/kernels/arithmetic_kernels.h"
#include "compute/kernels/blend_kernels.h"
#include "compute/kernels/cast_kernels.h"
#include "compute/kernels/compare_kernels.h"
#include "compute/kernels/date_kernels.h"
#include "compute/kernels/text_match_kernels.h"

KERNEL_TABLE_DEFINE(ArithmeticKernels, arithmetic_kernels);
KERNEL_TABLE_DEFINE(BlendKernels, blend_kernels);
KERNEL_TABLE_DEFINE(CastKernels, cast_kernels);
KERNEL_TABLE_DEFINE(CompareKernels, compare_kernels);
KERNEL_TABLE_DEFINE(DateKernels, date_kernels);
KERNEL_TABLE_DEFINE(TextMatchKernels, text_match_kernels);
