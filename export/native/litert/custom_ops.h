#ifndef TFCOMPRESS_LITERT_CUSTOM_OPS_H_
#define TFCOMPRESS_LITERT_CUSTOM_OPS_H_

#include "litert/api.h"

namespace tfcompress::litert {

// Lets a model that is compiled with these options use the custom operations of this library.
void AddCustomOps(const Api& api, Handle options);

// Throws what a custom operation found wrong on this thread since the last call, as LiteRT goes on
// when one fails.
void ThrowCustomOpError();

}  // namespace tfcompress::litert

#endif  // TFCOMPRESS_LITERT_CUSTOM_OPS_H_
