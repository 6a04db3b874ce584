/* field_kernel_choose.c — which kernel reads the fields of a type; see field_kernels.h. */
#include <string.h>

#include "protocol/copy/field_kernels.h"

KERNEL_TABLE_DEFINE(FieldKernels, field_kernels);

void field_kernel_none(FieldColumn *column, const FieldSpans *spans, void *lanes,
                       uint64_t odd[FIELD_MASK_WORDS])
{
    memset(lanes, 0, spans->row_count * lane_bytes(type_widest_lane(column->type)));
    for (uint32_t row = 0; row < spans->row_count; row++) {
        odd[row >> 6] |= UINT64_C(1) << (row & 63);
    }
}

FieldKernel field_kernel_choose(Type type)
{
    const FieldKernels *kernels = KERNELS(field_kernels);
    switch ((TypeId)type.id) {
    case TYPE_BOOLEAN:
        return kernels->booleans;
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
        return kernels->integers;
    case TYPE_DECIMAL:
        return type.precision <= DECIMAL_PRECISION_INT64 ? kernels->decimals64
                                                         : kernels->decimals128;
    case TYPE_REAL:
        return kernels->reals;
    case TYPE_DOUBLE:
        return kernels->doubles;
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        return kernels->texts;
    case TYPE_DATE:
        return kernels->dates;
    case TYPE_TIMESTAMP:
        return kernels->timestamps;
    case TYPE_UNKNOWN:
    case TYPE_INTERVAL:
    case TYPE_COUNT:
        break;
    }
    return field_kernel_none;
}
