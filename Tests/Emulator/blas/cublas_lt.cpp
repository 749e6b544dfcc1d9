// cuBLASLt: descriptors, layouts, a heuristic that always has one answer, and the product with its fused epilogues.
#include <string.h>

#include <algorithm>

#include "matrix_product.h"

#define CUBLASLT_API extern "C" __attribute__((visibility("default"))) int

using namespace cuda_emulator;

namespace {

enum Status { Success = 0, InvalidValue = 7, ExecutionFailed = 13, NotSupported = 15 };

// cublasLtMatmulDescAttributes_t
enum DescriptorAttribute {
    ComputeType = 0,
    ScaleType = 1,
    PointerMode = 2,
    TransposeA = 3,
    TransposeB = 4,
    TransposeC = 5,
    FillMode = 6,
    EpilogueKind = 7,
    BiasPointer = 8,
    BiasBatchStride = 10,
    AuxiliaryPointer = 11,
    AuxiliaryLeading = 12,
    AuxiliaryBatchStride = 13,
    AuxiliaryDataType = 22,
    BiasDataType = 26,
    DescriptorAttributes = 32,
};

// cublasLtMatrixLayoutAttribute_t
enum LayoutAttribute { Type = 0, Order = 1, Rows = 2, Columns = 3, Leading = 4, BatchCount = 5, BatchStride = 6, PlaneOffset = 7, LayoutAttributes = 8 };

constexpr int ComputeFastTf32 = 77, OrderColumns = 0, OrderRows = 1, EpilogueDefault = 1, DevicePointers = 1;
constexpr int64_t Unset = -1;

/// Attributes by number, kept as 64 bits whatever their size.
template <int Count>
struct Attributes {
    int64_t values[Count];

    int set(int attribute, const void* buffer, size_t bytes) {
        if (attribute < 0 || attribute >= Count || buffer == nullptr || (bytes != 4 && bytes != 8)) return InvalidValue;
        if (bytes == 8) {
            memcpy(&values[attribute], buffer, bytes);
        } else {
            int32_t narrow;
            memcpy(&narrow, buffer, bytes);
            values[attribute] = narrow;
        }
        return Success;
    }
    int get(int attribute, void* buffer, size_t bytes, size_t* written) const {
        if (attribute < 0 || attribute >= Count || (bytes != 4 && bytes != 8)) return InvalidValue;
        memcpy(buffer, &values[attribute], bytes);
        if (written != nullptr) *written = bytes;
        return Success;
    }
};

struct Descriptor : Attributes<DescriptorAttributes> {};
struct Layout : Attributes<LayoutAttributes> {};

/// Layout of cublasLtMatmulHeuristicResult_t.
struct HeuristicResult {
    uint64_t algorithm[8];
    size_t workspace_bytes;
    int status;
    float waves;
    int reserved[4];
};
static_assert(sizeof(HeuristicResult) == 96);

Matrix matrix(const void* pointer, const Layout& layout) {
    return {
        reinterpret_cast<uint64_t>(pointer),
        static_cast<DataType>(layout.values[Type]),
        layout.values[Rows],
        layout.values[Columns],
        layout.values[Leading],
        layout.values[Order] == OrderRows,
        layout.values[BatchStride]};
}

bool is_supported_epilogue(unsigned bits) {
    switch (bits) {
        case 0:
        case EpilogueRelu:
        case EpilogueRelu | EpilogueAuxiliary:
        case EpilogueBias:
        case EpilogueRelu | EpilogueBias:
        case EpilogueRelu | EpilogueBias | EpilogueAuxiliary:
        case EpilogueGelu:
        case EpilogueGelu | EpilogueAuxiliary:
        case EpilogueGelu | EpilogueBias:
        case EpilogueGelu | EpilogueBias | EpilogueAuxiliary:
        case EpilogueDerivativeRelu | EpilogueAuxiliary:
        case EpilogueDerivativeRelu | EpilogueAuxiliary | EpilogueBiasGradient:
        case EpilogueDerivativeGelu | EpilogueAuxiliary:
        case EpilogueDerivativeGelu | EpilogueAuxiliary | EpilogueBiasGradient:
        case EpilogueBiasGradientA:
        case EpilogueBiasGradientB:
            return true;
        default:
            return false;
    }
}

/// Everything about the product but where the matrices lie; a cuBLAS status.
int plan(const Descriptor& descriptor, const Layout& la, const Layout& lb, const Layout& lc, const Layout& ld, Product& p) {
    const auto& v = descriptor.values;
    p.name = "cublasLtMatmul";
    p.a = matrix(nullptr, la);
    p.b = matrix(nullptr, lb);
    p.c = matrix(nullptr, lc);
    p.d = matrix(nullptr, ld);
    p.transpose_a = v[TransposeA] != 0;
    p.transpose_b = v[TransposeB] != 0;
    p.m = p.d.rows;
    p.n = p.d.columns;
    p.k = p.transpose_a ? p.a.rows : p.a.columns;
    p.batches = std::max<int64_t>(1, ld.values[BatchCount]);
    p.tf32 = v[ComputeType] == ComputeFastTf32 && p.a.type == DataType::Float32;
    for (const auto* each : {&p.a, &p.b, &p.c, &p.d}) {
        if (!is_known(each->type)) return NotSupported;
        if (each->leading < (each->row_major ? each->columns : each->rows)) return InvalidValue;
    }
    if (v[TransposeC] != 0 || p.a.type != p.b.type) return NotSupported;
    int64_t a_rows = p.transpose_a ? p.a.columns : p.a.rows, b_rows = p.transpose_b ? p.b.columns : p.b.rows;
    int64_t b_columns = p.transpose_b ? p.b.rows : p.b.columns;
    if (a_rows != p.m || b_rows != p.k || b_columns != p.n || p.c.rows != p.m || p.c.columns != p.n) return InvalidValue;
    auto& e = p.epilogue;
    e.bits = v[EpilogueKind] == EpilogueDefault ? 0u : static_cast<unsigned>(v[EpilogueKind]);
    if (!is_supported_epilogue(e.bits)) return NotSupported;
    if (e.bits != 0 && p.d.row_major) return NotSupported;
    e.bias = static_cast<uint64_t>(v[BiasPointer]);
    e.bias_type = v[BiasDataType] == Unset ? p.d.type : static_cast<DataType>(v[BiasDataType]);
    e.bias_stride = v[BiasBatchStride];
    e.auxiliary = static_cast<uint64_t>(v[AuxiliaryPointer]);
    e.auxiliary_type = v[AuxiliaryDataType] == Unset ? p.d.type : static_cast<DataType>(v[AuxiliaryDataType]);
    e.auxiliary_leading = v[AuxiliaryLeading];
    e.auxiliary_stride = v[AuxiliaryBatchStride];
    bool uses_bias = (e.bits & (EpilogueBias | EpilogueBiasGradient | EpilogueBiasGradientA | EpilogueBiasGradientB)) != 0;
    bool mask = (e.bits & (EpilogueRelu | EpilogueDerivativeRelu)) != 0 && (e.bits & EpilogueAuxiliary) != 0;
    if (uses_bias && !is_known(e.bias_type)) return NotSupported;
    if ((e.bits & EpilogueAuxiliary) && e.auxiliary_leading < p.m) return InvalidValue;
    if (mask && e.auxiliary_leading % 128 != 0) return InvalidValue;
    return Success;
}

}  // namespace

CUBLASLT_API cublasLtCreate(void** handle) {
    *handle = new int(0);
    return Success;
}

CUBLASLT_API cublasLtDestroy(void* handle) {
    delete static_cast<int*>(handle);
    return Success;
}

extern "C" __attribute__((visibility("default"))) size_t cublasLtGetVersion() { return 120400; }

CUBLASLT_API cublasLtMatmulDescCreate(void** descriptor, int compute, int scale) {
    auto* made = new Descriptor{};
    made->values[ComputeType] = compute;
    made->values[ScaleType] = scale;
    made->values[EpilogueKind] = EpilogueDefault;
    made->values[BiasDataType] = made->values[AuxiliaryDataType] = Unset;
    *descriptor = made;
    return Success;
}

CUBLASLT_API cublasLtMatmulDescDestroy(void* descriptor) {
    delete static_cast<Descriptor*>(descriptor);
    return Success;
}

CUBLASLT_API cublasLtMatmulDescSetAttribute(void* descriptor, int attribute, const void* buffer, size_t bytes) {
    return static_cast<Descriptor*>(descriptor)->set(attribute, buffer, bytes);
}

CUBLASLT_API cublasLtMatmulDescGetAttribute(void* descriptor, int attribute, void* buffer, size_t bytes, size_t* written) {
    return static_cast<Descriptor*>(descriptor)->get(attribute, buffer, bytes, written);
}

CUBLASLT_API cublasLtMatrixLayoutCreate(void** layout, int type, uint64_t rows, uint64_t columns, int64_t leading) {
    auto* made = new Layout{};
    made->values[Type] = type;
    made->values[Order] = OrderColumns;
    made->values[Rows] = static_cast<int64_t>(rows);
    made->values[Columns] = static_cast<int64_t>(columns);
    made->values[Leading] = leading;
    made->values[BatchCount] = 1;
    *layout = made;
    return Success;
}

CUBLASLT_API cublasLtMatrixLayoutDestroy(void* layout) {
    delete static_cast<Layout*>(layout);
    return Success;
}

CUBLASLT_API cublasLtMatrixLayoutSetAttribute(void* layout, int attribute, const void* buffer, size_t bytes) {
    return static_cast<Layout*>(layout)->set(attribute, buffer, bytes);
}

CUBLASLT_API cublasLtMatrixLayoutGetAttribute(void* layout, int attribute, void* buffer, size_t bytes, size_t* written) {
    return static_cast<Layout*>(layout)->get(attribute, buffer, bytes, written);
}

CUBLASLT_API cublasLtMatmulPreferenceCreate(void** preference) {
    *preference = new int(0);
    return Success;
}

CUBLASLT_API cublasLtMatmulPreferenceDestroy(void* preference) {
    delete static_cast<int*>(preference);
    return Success;
}

CUBLASLT_API cublasLtMatmulPreferenceSetAttribute(void*, int, const void*, size_t) { return Success; }

CUBLASLT_API cublasLtMatmulAlgoGetHeuristic(
    void*, void* descriptor, void* a, void* b, void* c, void* d, void*, int asked, HeuristicResult* results, int* found) {
    *found = 0;
    if (asked < 1) return InvalidValue;
    Product product{};
    int status = plan(
        *static_cast<Descriptor*>(descriptor), *static_cast<Layout*>(a), *static_cast<Layout*>(b), *static_cast<Layout*>(c), *static_cast<Layout*>(d), product);
    if (status != Success) return status;
    results[0] = HeuristicResult{};
    results[0].waves = 1.0f;
    *found = 1;
    return Success;
}

CUBLASLT_API cublasLtMatmul(
    void*, void* descriptor, const void* alpha, const void* a, void* a_layout, const void* b, void* b_layout, const void* beta, const void* c, void* c_layout,
    void* d, void* d_layout, const void*, void*, size_t, void* stream) {
    Product p{};
    const auto& operation = *static_cast<Descriptor*>(descriptor);
    int status =
        plan(operation, *static_cast<Layout*>(a_layout), *static_cast<Layout*>(b_layout), *static_cast<Layout*>(c_layout), *static_cast<Layout*>(d_layout), p);
    if (status != Success) return status;
    p.a.address = reinterpret_cast<uint64_t>(a);
    p.b.address = reinterpret_cast<uint64_t>(b);
    p.c.address = reinterpret_cast<uint64_t>(c);
    p.d.address = reinterpret_cast<uint64_t>(d);
    if (operation.values[PointerMode] == DevicePointers) {
        p.device_scalars[0] = reinterpret_cast<uint64_t>(alpha);
        p.device_scalars[1] = reinterpret_cast<uint64_t>(beta);
    } else {
        p.alpha = *static_cast<const float*>(alpha);
        p.beta = *static_cast<const float*>(beta);
    }
    if (p.m == 0 || p.n == 0) return Success;
    return enqueue(stream, p) == 0 ? Success : ExecutionFailed;
}
