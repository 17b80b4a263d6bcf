/* The custom operations of tfcompress by themselves, as its models hold them. */
#ifndef TFCOMPRESS_OPS_H_
#define TFCOMPRESS_OPS_H_

#include "tfcompress.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  TFC_FLOAT32 = 0,
  TFC_INT32 = 1,
  TFC_INT8 = 2,
  TFC_INT4 = 3,
  TFC_INT8_PANELS = 4,
  TFC_INT4_PANELS = 5
} tfc_type;

/* A row-major tensor, but for panels: of each matrix, 16 rows after another, 8 columns after
   another, the 8 values of each of these rows, in the order 0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7,
   10, 11, 14, 15; what the last ones lack is filled up with zeros. Values of int4 stand two to a
   byte, the first one in the low half; in panels, 8 is added to each, and a byte's high half has
   the value 64 after that of its low half. Extents count values. Data of float32 and int32 begins
   at a multiple of 4 bytes. */
typedef struct {
  int32_t type; /* tfc_type */
  int32_t rank; /* At most 8. */
  const int32_t* dims;
  void* data; /* As long as the shape says. That of an input is only read. */
} tfc_tensor;

/* Runs an operation, such as "tfc.GroupTransform", with kernels of a level; NULL: of the best one.
   Impossible operands give TFC_BAD_BUNDLE. An output may have an input's data where the operation
   updates a cache; else no output may overlap another tensor. */
TFC_API tfc_status tfc_run_op(const char* name, const char* level, size_t num_inputs,
                              const tfc_tensor* inputs, size_t num_outputs,
                              const tfc_tensor* outputs);

/* The names of the levels that run on this processor, the best one last; NULL after them. */
TFC_API const char* tfc_level(size_t index);

#ifdef __cplusplus
}
#endif

#endif
