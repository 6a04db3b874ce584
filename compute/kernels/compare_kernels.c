/* compare_kernels.c — see compare_kernels.h. */
#include "compute/kernels/compare_kernels.h"

#include "base/vector/pack_flags.h"

#define TEMPLATE "compute/kernels/compare.tmpl.h"
#include "compute/kernels/for_each_lane_compare.h"

#define T float
#define NAME(stem) stem##_f32
#include "compute/kernels/compare_float.tmpl.h"
#undef T
#undef NAME
#define T double
#define NAME(stem) stem##_f64
#include "compute/kernels/compare_float.tmpl.h"
#undef T
#undef NAME

const CompareKernels KERNEL(compare_kernels) = {
    .less =
        {
#define STEM less
#define TEMPLATE "compute/kernels/compare_entry.tmpl.h"
#include "compute/kernels/for_each_lane_compare.h"
#undef STEM
        },
    .equal =
        {
#define STEM equal
#define TEMPLATE "compute/kernels/compare_entry.tmpl.h"
#include "compute/kernels/for_each_lane_compare.h"
#undef STEM
        },
    .less_f32 = less_f32,
    .equal_f32 = equal_f32,
    .less_f64 = less_f64,
    .equal_f64 = equal_f64,
};
